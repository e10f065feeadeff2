/** Variations of a face's luma: a mirror image, and the light, blur and noise of other photos, each sometimes. */
import { between, type Random } from '../../bench/support/paint-covers.ts';
import type { Luma } from '../../packages/magface/src/crop-luma.ts';

const size = 112;
const middle = 56;

export function vary(face: Luma, random: Random): { readonly face: Luma; readonly isMirrored: boolean } {
  const u = (low: number, high: number): number => between(random, low, high);
  const blurs = random() < 0.3 ? Math.ceil(u(0.5, 10)) : 0;
  const noise = random() < 0.25 ? u(2, 30) : 0;
  const [isMirrored, dx, dy] = [random() < 0.5, Math.floor(u(-2, 3)), Math.floor(u(-2, 3))];
  const [gain, offset] = random() < 0.4 ? [u(0.4, 1.3), u(-40, 40)] : [1, 0];
  const dim = random() < 0.2 ? u(0.15, 1) : 1;
  let from = face.values;
  for (let i = 0; i < blurs; i++) from = smoothed(smoothed(from, 1), size);
  const values = new Float32Array(size * size);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const [column, row] = [Math.max(0, Math.min(size - 1, x + dx)), Math.max(0, Math.min(size - 1, y + dy))];
      const value = from[row * size + (isMirrored ? size - 1 - column : column)]!;
      // The sum of three uniform numbers is nearly normal, with a variance of 1/4.
      const grain = noise === 0 ? 0 : 2 * noise * (random() + random() + random() - 1.5);
      const lit = Math.max(0, Math.min(255, 128 + (value + grain - 128) * gain + offset));
      values[y * size + x] = dim * lit;
    }
  return { face: { ...face, values }, isMirrored };
}

/** (1, 2, 1) / 4: a variance of half a pixel squared. */
function smoothed(values: Float32Array, stride: number): Float32Array {
  const result = values.slice();
  for (let i = stride; i < values.length - stride; i++)
    result[i] = (values[i - stride]! + 2 * values[i]! + values[i + stride]!) / 4;
  return result;
}

/** (484) blocks beyond an edge of the photo; undefined two times in three. */
export function photoEnd(
  random: Random,
  grid: { block: number; left: number; top: number; across: number; down: number },
): boolean[] | undefined {
  if (random() > 0.35) return undefined;
  const side = Math.floor(4 * random());
  const depth = side === 0 ? between(random, 5, 38) : between(random, 3, 16);
  const slant = between(random, -0.15, 0.15);
  return Array.from({ length: grid.across * grid.down }, (_, at) => {
    const x = grid.block * (grid.left + (at % grid.across)) + (grid.block - 1) / 2;
    const y = grid.block * (grid.top + Math.floor(at / grid.across)) + (grid.block - 1) / 2;
    const distances = [
      y + slant * (x - middle),
      size - y + slant * (x - middle),
      x + slant * (y - middle),
      size - x + slant * (y - middle),
    ];
    return distances[side]! < depth;
  });
}
