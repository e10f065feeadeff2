/** Random pairs of the faces of several sets, each person as often as any other; impostors are of one set. */
import type { LikelihoodPairs } from '../../packages/magface/src/eval/fit-likelihood.ts';
import type { PairIdentities } from '../../packages/magface/src/eval/identities.ts';
import { randomStream } from '../../packages/magface/src/random.ts';
import { product } from '../../packages/magface/src/row-products.ts';

/** Embedded faces and their people. */
export interface PeopleSet {
  /** (N, D) */
  readonly values: Float32Array;
  readonly dimension: number;
  /** (N) */
  readonly people: readonly string[];
  /** (N) whether the face takes part. @default all */
  readonly kept?: readonly boolean[];
}

interface Counts {
  readonly genuine: number;
  readonly impostors: number;
}

/** @param counts - pairs of each set */
export function likelihoodPairs(
  sets: readonly PeopleSet[],
  counts: Counts,
): { readonly pairs: LikelihoodPairs; readonly identities: PairIdentities } {
  const random = randomStream(1);
  const below = (count: number): number => Math.floor(random() * count);
  const total = sets.length * (counts.genuine + counts.impostors);
  const pairs = {
    similarities: new Float64Array(total),
    magnitudes: new Float64Array(total),
    same: new Uint8Array(total),
  };
  const [left, right] = [new Uint32Array(total), new Uint32Array(total)];
  let [at, known] = [0, 0];
  for (const { values, dimension, people, kept } of sets) {
    const rowsOf = new Map<string, number[]>();
    for (const [row, person] of people.entries())
      if (kept?.[row] !== false) rowsOf.set(person, [...(rowsOf.get(person) ?? []), row]);
    const groups = [...rowsOf.values()];
    const several = [...groups.keys()].filter((group) => groups[group]!.length > 1);
    const length = (row: number): number =>
      Math.sqrt(product(values, row * dimension, values, row * dimension, dimension));
    const add = (groupA: number, groupB: number, a: number, b: number): void => {
      const [la, lb] = [length(a), length(b)];
      pairs.similarities[at] = product(values, a * dimension, values, b * dimension, dimension) / (la * lb);
      pairs.magnitudes[at] = Math.min(la, lb);
      pairs.same[at] = groupA === groupB ? 1 : 0;
      [left[at], right[at]] = [known + groupA, known + groupB];
      at++;
    };
    for (let pair = 0; pair < counts.genuine; pair++) {
      const group = several[below(several.length)]!;
      const rows = groups[group]!;
      const a = below(rows.length);
      add(group, group, rows[a]!, rows[(a + 1 + below(rows.length - 1)) % rows.length]!);
    }
    for (let pair = 0; pair < counts.impostors; pair++) {
      const a = below(groups.length);
      const b = (a + 1 + below(groups.length - 1)) % groups.length;
      add(a, b, groups[a]![below(groups[a]!.length)]!, groups[b]![below(groups[b]!.length)]!);
    }
    known += groups.length;
  }
  return { pairs, identities: { left, right, count: known, from: 'folders' } };
}
