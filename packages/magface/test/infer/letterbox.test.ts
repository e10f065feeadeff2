import fc from 'fast-check';
import { expect, test } from 'vitest';
import { template } from '../../src/align.ts';
import { drawRegion, faceInImage } from '../../src/infer/scene.ts';
import { grey, values } from '../support/grey-pixels.ts';

test('copies at scale 1, with black outside', () => {
  const image = grey(2, 2, (x, y) => 10 + x + 2 * y);
  const drawn = drawRegion(image, { x: -1, y: 0, scale: 1, width: 4, height: 3 });
  expect(values(drawn)).toEqual([0, 10, 11, 0, 0, 12, 13, 0, 0, 0, 0, 0]);
});

test('shrinks to the mean of the covered pixels, weighted by coverage', () => {
  const image = grey(3, 3, (x) => [0, 90, 240][x]!);
  expect(values(drawRegion(image, { x: 0, y: 0, scale: 1 / 3, width: 1, height: 1 }))).toEqual([110]);
  const half = drawRegion(image, { x: 0, y: 0, scale: 2 / 3, width: 2, height: 2 });
  expect(values(half)).toEqual([30, 190, 30, 190]);
});

test('enlarges by interpolation between centres', () => {
  const image = grey(2, 3, (x) => 100 * x);
  const drawn = values(drawRegion(image, { x: 0, y: 0, scale: 2, width: 4, height: 6 }));
  expect(drawn.slice(8, 12)).toEqual([0, 25, 75, 75]); // the last fades into the black beyond the border
});

test('keeps a flat image flat at any scale', () => {
  const place = fc.record({
    x: fc.integer({ min: 0, max: 20 }),
    y: fc.integer({ min: 0, max: 20 }),
    scale: fc.double({ min: 0.2, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(place, (region) => {
      const drawn = drawRegion(
        grey(60, 60, () => 201),
        { ...region, width: 8, height: 8 },
      );
      expect(new Set(drawn.data)).toEqual(new Set([201]));
    }),
  );
});

test("maps a face's pixel centres and edges back", () => {
  const region = { x: 10, y: -4, scale: 0.5, width: 64, height: 64 };
  const face = {
    box: { x: 2, y: 4, width: 6, height: 8 },
    landmarks: template,
    mouth: 'corners',
    detection: 1,
  } as const;
  const found = faceInImage(face, region);
  expect(found.box).toEqual({ x: 14, y: 4, width: 12, height: 16 });
  expect(found.landmarks[0]).toEqual([10 + (template[0][0] + 0.5) * 2 - 0.5, -4 + (template[0][1] + 0.5) * 2 - 0.5]);
});
