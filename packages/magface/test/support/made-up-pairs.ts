/** Pairs of random features, for reports. */
import { magnitudesOf } from '../../src/eval/feature-set.ts';
import type { LoadedPairs } from '../../src/eval/load-pairs.ts';
import { pairQuality } from '../../src/eval/reject.ts';
import { cosineSimilarities } from '../../src/eval/verification.ts';
import { randomStream } from '../../src/random.ts';

interface MadeUp extends Partial<Pick<LoadedPairs, 'columns' | 'views'>> {
  /** How near the right feature of a genuine pair lies to its left. @default 2 */
  readonly likeness?: number;
  readonly nameOf?: (row: number) => string;
}

/** @returns 400 pairs of 800 features; every second is genuine, its right near its left */
export function madeUpPairs(
  seed: number,
  { likeness = 2, nameOf = (row) => `${row}.jpg`, columns = {}, ...rest }: MadeUp = {},
): LoadedPairs {
  const random = randomStream(seed);
  const values = Float32Array.from({ length: 800 * 4 }, () => random() - 0.5);
  const same = Uint8Array.from({ length: 400 }, (_, pair) => pair % 2);
  same.forEach((label, pair) => {
    for (let d = 8 * pair; d < 8 * pair + 4; d++) values[d + 4]! += likeness * label * values[d]!;
  });
  const features = { values, dimension: 4, names: Array.from({ length: 800 }, (_, row) => nameOf(row)) };
  const left = Uint32Array.from(same, (_, k) => 2 * k);
  const rows = { left, right: left.map((row) => row + 1), same };
  const similarities = cosineSimilarities(features, rows);
  const qualities = magnitudesOf(features);
  return { features, rows, similarities, same, qualities, quality: pairQuality(qualities, rows), columns, ...rest };
}
