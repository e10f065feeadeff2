/** Colours, crops and masks of training faces. */
import { expect, test } from 'vitest';
import { type ExtraKind, extraDamages } from '../../src/degrade/extra.ts';
import type { Pixels } from '../../src/pixels.ts';

const side = 112;
const face: Pixels = {
  width: side,
  height: side,
  data: Uint8Array.from({ length: side * side * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % side, Math.floor(i / 3 / side)];
    return [x, y, x + y][i % 3]! + 20;
  }),
};
const kinds = Object.keys(extraDamages) as ExtraKind[];

test.each(kinds)('%s changes nothing at strength 0, and is a function of strength and seed', (kind) => {
  const { apply } = extraDamages[kind];
  expect(apply(face, 0, 3)).toBe(face);
  expect(apply(face, 0.7, 3)).toEqual(apply(face, 0.7, 3));
  expect(apply(face, 0.7, 3).data).not.toEqual(apply(face, 0.7, 4).data);
  expect(apply(face, 0.7, 3).data).toHaveLength(face.data.length);
});

test('a mask covers the mouth with one colour and leaves the eyes', () => {
  const { data } = extraDamages.mask.apply(face, 1, 1);
  const pixel = (x: number, y: number) => [...data.subarray(3 * (y * side + x), 3 * (y * side + x) + 3)];
  expect(pixel(56, 92)).toEqual(pixel(50, 80));
  const eyes = 3 * side * 55;
  expect(data.subarray(0, eyes)).toEqual(face.data.subarray(0, eyes));
});

test('a crop moves at most 12 pixels and a fifth', () => {
  const { data } = extraDamages.crop.apply(face, 0.5, 9);
  const middle = 3 * (56 * side + 56);
  expect(data[middle]).toBeGreaterThan(56 + 20 - 8);
  expect(data[middle]).toBeLessThan(56 + 20 + 8);
});

test('colours change by gains, so that black stays black', () => {
  const black: Pixels = { ...face, data: new Uint8Array(face.data.length) };
  expect(extraDamages.colour.apply(black, 1, 5).data).toEqual(black.data);
});
