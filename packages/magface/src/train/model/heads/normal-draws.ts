/** Random numbers of a step, equal on every rank and after a resume. */
import { hash } from '../../data/sample-order.ts';

/** @returns standard normal numbers that (seed, step, index) determine (Box and Muller) */
export function normalDraws(seed: number, step: number, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => {
    const u = (hash(seed, step, i, 3) + 0.5) / 2 ** 32;
    const v = hash(seed, step, i, 4) / 2 ** 32;
    return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
  });
}
