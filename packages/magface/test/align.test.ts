import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import {
  alignmentMatrix,
  inverseOf,
  mapped,
  scaledMatrix,
  similarityTransform,
  template,
  warp,
  withMouthCorners,
} from '../src/align.ts';
import { ShapeError } from '../src/errors.ts';
import type { AffineMatrix, Landmarks, Point } from '../src/face.ts';
import type { Pixels } from '../src/pixels.ts';

/** The template turned by `angle` radians, scaled and moved. */
function placed(scale: number, angle: number, [x, y]: Point): Landmarks {
  const [a, d] = [scale * Math.cos(angle), scale * Math.sin(angle)];
  return template.map(([u, v]): Point => [a * u - d * v + x, d * u + a * v + y]) as unknown as Landmarks;
}

describe('similarityTransform', () => {
  test('finds scale, rotation and shift exactly', () => {
    const [[a, b, c], [d, e, f]] = similarityTransform(placed(2.5, 0.7, [100, -40]), template);
    expect([a, b, d, e].map((v) => v * 2.5)).toEqual(
      [Math.cos(0.7), Math.sin(0.7), -Math.sin(0.7), Math.cos(0.7)].map((v) => expect.closeTo(v, 10)),
    );
    const [x, y] = placed(2.5, 0.7, [100, -40])[2];
    expect([a * x + b * y + c, d * x + e * y + f]).toEqual(template[2].map((v) => expect.closeTo(v, 8)));
  });

  test('never reflects, even if a reflection would fit perfectly', () => {
    const mirrored = template.map(([x, y]): Point => [-x, y]);
    const [[a, b], [d, e]] = similarityTransform(mirrored, template);
    expect(a * e - b * d).toBeGreaterThan(0);
  });

  test('rejects coinciding points and unequal counts', () => {
    const spot: Point[] = [1, 2, 3].map(() => [5, 6]);
    expect(() => similarityTransform(spot, template.slice(0, 3))).toThrow(ShapeError);
    expect(() => similarityTransform(spot, template)).toThrow('received 3 points and 5 targets');
  });
});

describe('alignmentMatrix', () => {
  test('scales the template with the size of the crop', () => {
    const [[a, b, c]] = alignmentMatrix(template, 'corners', 224);
    expect([a, b, c]).toEqual([2, 0, 0].map((v) => expect.closeTo(v, 10)));
  });

  test('ignores where the corners of the mouth are placed around its centre', () => {
    const face = placed(0.5, -0.3, [30, 60]);
    const centre: Point = [(face[3][0] + face[4][0]) / 2, (face[3][1] + face[4][1]) / 2];
    const five = withMouthCorners([face[0], face[1], face[2], centre]);
    expect(five.flat()).toEqual(face.flat().map((v) => expect.closeTo(v, 8)));
    const narrow: Landmarks = [face[0], face[1], face[2], centre, centre];
    expect(alignmentMatrix(narrow, 'centre')[0]).toEqual(alignmentMatrix(face)[0].map((v) => expect.closeTo(v, 8)));
  });
});

describe('maps', () => {
  const matrix = alignmentMatrix(placed(3.1, -0.4, [80, 15]));

  test('inverts a map, so that every point returns', () => {
    for (const point of template) {
      const [x, y] = mapped(inverseOf(matrix), mapped(matrix, point));
      expect([x, y]).toEqual(point.map((v) => expect.closeTo(v, 9)));
    }
  });

  test('refuses to invert a map onto a line', () => {
    const flat: AffineMatrix = [
      [1, 2, 3],
      [2, 4, 5],
    ];
    expect(() => inverseOf(flat)).toThrow(ShapeError);
  });

  test('scales a map to a crop of another size', () => {
    const landmarks = placed(3.1, -0.4, [80, 15]);
    const expected = alignmentMatrix(landmarks, 'corners', 224).flat();
    expect(scaledMatrix(alignmentMatrix(landmarks), 2).flat()).toEqual(expected.map((v) => expect.closeTo(v, 9)));
  });
});

describe('warp', () => {
  const image: Pixels = { data: Uint8Array.from({ length: 48 }, (_, i) => 5 * i), width: 4, height: 4 };
  test('copies with the identity', () => {
    expect(warp(image, [[1, 0, 0], [0, 1, 0]], 4).data).toEqual(image.data); // biome-ignore format: a matrix
  });
  test('averages at half a pixel, and fades to black at the border', () => {
    const { data } = warp(image, [[1, 0, 0.5], [0, 1, 0]], 4); // biome-ignore format: a matrix
    expect([...data.slice(0, 6)]).toEqual([0, 3, 5, 8, 13, 18]);
  });
  test('fades the last column and the last row to black', () => {
    const white = { width: 2, height: 2, data: Uint8Array.from({ length: 12 }, () => 200) };
    const shifted = warp(
      white,
      [
        [1, 0, -0.5],
        [0, 1, 0],
      ],
      2,
    );
    expect([...shifted.data].filter((_, i) => i % 3 === 0)).toEqual([200, 100, 200, 100]);
    const raised = warp(
      white,
      [
        [1, 0, 0],
        [0, 1, -0.5],
      ],
      2,
    );
    expect([...raised.data].filter((_, i) => i % 3 === 0)).toEqual([200, 200, 100, 100]);
  });

  test('fades at a corner, and shows nothing of the neighbouring row beyond an edge', () => {
    const white = { width: 4, height: 4, data: new Uint8Array(48).fill(200) };
    const red = (matrix: AffineMatrix, size: number): number[][] => {
      const { data } = warp(white, matrix, size);
      const values = [...data].filter((_, i) => i % 3 === 0);
      return Array.from({ length: size }, (_, y) => values.slice(y * size, (y + 1) * size));
    };
    expect(red([[1, 0, 0], [0, 1, 0]], 6)).toEqual([...Array(4).fill([200, 200, 200, 200, 0, 0]), ...Array(2).fill(Array(6).fill(0))]); // biome-ignore format: a matrix
    expect(red([[1, 0, 2], [0, 1, 0]], 3)).toEqual(Array(3).fill([0, 0, 200])); // biome-ignore format: a matrix
    expect(red([[1, 0, -0.5], [0, 1, -0.5]], 4)).toEqual([...Array(3).fill([200, 200, 200, 100]), [100, 100, 100, 50]]); // biome-ignore format: a matrix
  });

  test('is black outside the image', () => {
    expect(warp(image, [[1, 0, 90], [0, 1, 90]], 4).data.every((v) => v === 0)).toBe(true); // biome-ignore format: a matrix
  });
});

describe('against scikit-image and OpenCV', () => {
  interface Case {
    readonly name: string;
    readonly aligned: string;
    readonly landmarks: Landmarks;
    readonly matrix: readonly [readonly number[], readonly number[]];
  }
  const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/alignment/${name}`, import.meta.url));
  const cases: Case[] = JSON.parse(readFileSync(fixture('expected.json'), 'utf8'));
  /** The picture of fixtures/alignment/make.py. */
  const pattern = (): Pixels => {
    const [width, height] = [320, 240];
    const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => {
      const [channel, x, y] = [i % 3, Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
      const step = (4 * x + 3 * y + ((x * y) >> 6) + 97 * channel) % 510;
      return Math.min(step, 510 - step);
    });
    return { data, width, height };
  };

  test.each(cases)(
    '$name: matrix within 1e-6, pixels within one grey level',
    async ({ aligned, landmarks, matrix }) => {
      const ours = alignmentMatrix(landmarks);
      const golden = matrix.flat();
      const off = ours.flat().map((value, i) => Math.abs(value - golden[i]!) / Math.max(1, Math.abs(golden[i]!)));
      expect(Math.max(...off)).toBeLessThan(1e-6);
      const crop = warp(pattern(), ours);
      const expected = await sharp(fixture(aligned)).raw().toBuffer();
      expect(crop.data.length).toBe(expected.length);
      const far = [...crop.data].reduce((count, value, i) => count + (Math.abs(value - expected[i]!) > 1 ? 1 : 0), 0);
      expect(far / crop.data.length).toBeLessThanOrEqual(0.001);
    },
  );
});
