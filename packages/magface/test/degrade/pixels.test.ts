/** Each damage against a picture whose result is known. */
import { expect, test } from 'vitest';
import { blur } from '../../src/degrade/blur.ts';
import { cover } from '../../src/degrade/cover.ts';
import { downscale } from '../../src/degrade/downscale.ts';
import { addNoise, darken } from '../../src/degrade/light.ts';
import { turn } from '../../src/degrade/turn.ts';
import { blankPixels, type Pixels } from '../../src/pixels.ts';

const size = 112;
const made = (value: (x: number, y: number, channel: number) => number): Pixels => {
  const face = blankPixels(size, size);
  for (let at = 0; at < face.data.length; at++) {
    const pixel = Math.floor(at / 3);
    face.data[at] = value(pixel % size, Math.floor(pixel / size), at % 3);
  }
  return face;
};
const at = ({ data }: Pixels, x: number, y: number, channel = 0): number => data[3 * (y * size + x) + channel]!;

test('blur keeps flat areas and spreads a point like the Gaussian, equally across and down', () => {
  const flat = made(() => 77);
  expect(blur(flat, 4).data).toEqual(flat.data);
  const point = blur(
    made((x, y, channel) => (x === 50 && y === 60 && channel === 1 ? 255 : 0)),
    1,
  );
  expect(at(point, 50, 60, 1)).toBe(41); // 255 / (2π)
  expect([at(point, 51, 60, 1), at(point, 50, 61, 1)]).toEqual([25, 25]); // · exp(−1/2)
  expect(at(point, 60, 50, 1)).toBe(0);
  expect(at(point, 50, 60, 0)).toBe(0);
});

test('downscaling keeps a slope except at its ends, and turns fine stripes into their mean', () => {
  const slope = downscale(
    made((x) => 2 * x),
    28,
  );
  expect([at(slope, 20, 5), at(slope, 80, 90)]).toEqual([40, 160]);
  const stripes = downscale(
    made((x) => (x % 2) * 200),
    56,
  );
  expect(new Set(stripes.data)).toEqual(new Set([100]));
});

test('three stops leave an eighth of the light', () => {
  expect(
    new Set(
      darken(
        made(() => 160),
        3,
      ).data,
    ),
  ).toEqual(new Set([20]));
});

test('noise has the requested deviation and no bias', () => {
  const data = Array.from(
    addNoise(
      made(() => 128),
      20,
      1,
    ).data,
  );
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  const variance = data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length;
  expect(Math.abs(mean - 128)).toBeLessThan(0.3);
  expect(Math.abs(Math.sqrt(variance) - 20)).toBeLessThan(0.3);
});

test('an occlusion covers its share from one side, and a larger one contains the smaller', () => {
  const face = made((x, y, channel) => (3 * x + 5 * y + channel) % 251);
  for (let seed = 0; seed < 8; seed++) {
    const [small, large] = [cover(face, 0.25, seed), cover(face, 0.5, seed)];
    const changed = (covered: Pixels): number[] =>
      [...covered.data.keys()].filter((i) => covered.data[i] !== face.data[i]);
    expect(Math.abs(changed(small).length / face.data.length - 0.25)).toBeLessThan(0.01);
    for (const i of changed(small)) expect(large.data[i]).toBe(small.data[i]);
  }
});

test('a quarter turn clockwise moves the top to the right', () => {
  const turned = turn(
    made((_, y) => (y < 10 ? 200 : 0)),
    90,
  );
  expect([at(turned, 105, 50), at(turned, 50, 5), at(turned, 5, 50)]).toEqual([200, 0, 0]);
});
