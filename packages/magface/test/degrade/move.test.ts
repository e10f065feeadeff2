import { expect, test } from 'vitest';
import { move } from '../../src/degrade/move.ts';

const still = { x: 0, y: 0, degrees: 0, scale: 1 };
/** Each pixel's red tells its column, green its row. */
const face = {
  data: Uint8Array.from({ length: 112 * 112 * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return [2 * (pixel % 112), 2 * Math.floor(pixel / 112), 0][i % 3]!;
  }),
  width: 112,
  height: 112,
};
const at = ({ data }: typeof face | ReturnType<typeof move>, x: number, y: number): number[] => [
  ...data.slice(3 * (112 * y + x), 3 * (112 * y + x) + 2),
];

test('without a movement the face stays', () => {
  expect([...move(face, still).data]).toEqual([...face.data]);
});

test('moves right and down, and repeats the edge where nothing was', () => {
  const moved = move(face, { ...still, x: 3, y: 2 });
  expect(at(moved, 50, 60)).toEqual(at(face, 47, 58));
  expect(at(moved, 0, 60)).toEqual(at(face, 0, 58));
});

test('turns and enlarges about the centre', () => {
  const centre = (shown: ReturnType<typeof move>): number[] => at(shown, 55, 55).map((value) => Math.round(value / 4));
  const whole = centre(face);
  expect(centre(move(face, { ...still, degrees: 4 }))).toEqual(whole);
  expect(centre(move(face, { ...still, scale: 1.05 }))).toEqual(whole);
  expect(at(move(face, { ...still, scale: 1.05 }), 105, 55)[0]).toBeLessThan(at(face, 105, 55)[0]!);
});
