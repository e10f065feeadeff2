import { expect, test } from 'vitest';
import { warp } from '../../src/align.ts';
import type { AffineMatrix } from '../../src/face.ts';
import { cutFace, sceneOf } from '../../src/infer/scene.ts';
import { blankPixels, type Pixels } from '../../src/pixels.ts';

/** A smooth picture drawn at any size: what a crop shows of it can be computed. */
function waves(size: number): Pixels {
  const image = blankPixels(size, size);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) image.data.set(colour((x + 0.5) / size, (y + 0.5) / size), 3 * (y * size + x));
  return image;
}

const colour = (x: number, y: number): number[] => [
  128 + 100 * Math.sin(9 * x + 4 * y),
  128 + 100 * Math.cos(7 * y - 3 * x),
  40 + 170 * x * y,
];

/** From a picture of `size` to a crop that shows its middle turned by `angle`. */
function towardsMiddle(size: number, angle: number): AffineMatrix {
  const scale = 200 / size;
  const [a, d] = [scale * Math.cos(angle), scale * Math.sin(angle)];
  const centre = (size - 1) / 2;
  return [
    [a, -d, 55.5 - a * centre + d * centre],
    [d, a, 55.5 - d * centre - a * centre],
  ];
}

test("warps a face of up to 1.25 times the crop's size directly", () => {
  const image = waves(240);
  const matrix = towardsMiddle(240, 0.3);
  expect(cutFace(image, matrix).data).toEqual(warp(image, matrix).data);
});

test.each([0, 0.4, -2.5])('cuts the same crop from one picture in five sizes, rotated by %f', (angle) => {
  const crops = [200, 333, 512, 901, 1600].map((size) => cutFace(waves(size), towardsMiddle(size, angle)).data);
  for (const crop of crops.slice(1)) {
    const off = crop.map((value, i) => Math.abs(value - crops[0]![i]!));
    expect(Math.max(...off)).toBeLessThanOrEqual(3);
  }
});

test('turns fine stripes of a large photo grey instead of aliasing them', () => {
  const image = blankPixels(1600, 1600);
  for (let i = 0; i < image.data.length; i++) image.data[i] = Math.floor(i / 3) % 2 === 0 ? 255 : 0;
  const { data } = cutFace(image, towardsMiddle(1600, 0.1));
  const middle = data.subarray(3 * 112 * 30, 3 * 112 * 80);
  expect(Math.max(...middle) - Math.min(...middle)).toBeLessThan(25); // a tenth of the contrast; unshrunk it is all of it
});

test('is black outside the image', () => {
  const image = waves(800);
  image.data.fill(200);
  const [[a, b], [d, e]] = towardsMiddle(800, 0);
  const { data } = cutFace(image, [
    [a, b, 60],
    [d, e, -20],
  ]);
  expect([...data.subarray(0, 3)]).toEqual([0, 0, 0]);
  expect([...data.subarray(3 * 100, 3 * 101)]).toEqual([200, 200, 200]);
});

test('cuts the same faces from a scene as from the image one by one', () => {
  const image = waves(901);
  const scene = sceneOf(image);
  for (const angle of [0.2, 1.1]) {
    const matrix = towardsMiddle(901, angle);
    expect(cutFace(scene, matrix).data).toEqual(cutFace(image, matrix).data);
  }
});
