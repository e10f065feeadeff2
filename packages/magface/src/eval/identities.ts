/** Finds the identities in a list of pairs. A bootstrap resamples them, since pairs of one person are not independent. */
import type { FeatureSet } from './feature-set.ts';
import type { Pairs } from './verification.ts';

/** The identities of P pairs, numbered from 0. */
export interface PairIdentities {
  /** (P) identity of the left and of the right image. */
  readonly left: Uint32Array;
  readonly right: Uint32Array;
  /** Number of identities. */
  readonly count: number;
  /** Source of the identities. */
  readonly from: 'folders' | 'pairs';
}

/**
 * The folder of an image is its identity if that agrees with every label (`NAME/NAME_0001.jpg`), else a folder above it
 * (`NAME/profile/01.jpg`). Otherwise images are joined by name and by genuine pairs; two people without a common pair then rightly count as two, but so do
 * two images of one person that no genuine pair joins.
 *
 * @param names - one per row, if rows have names
 */
export function identitiesOf(pairs: Pairs, names?: FeatureSet['names']): PairIdentities {
  if (names !== undefined) {
    for (let paths = names.map(above); paths.some((path) => path !== ''); paths = paths.map(above)) {
      const folders = numbered(paths);
      const agrees = pairs.same.every(
        (same, i) => (folders[pairs.left[i]!] === folders[pairs.right[i]!]) === (same === 1),
      );
      if (agrees) return { ...renumbered(pairs, (row) => folders[row]!), from: 'folders' };
    }
  }
  const images = names === undefined ? undefined : numbered(names);
  const image = (row: number): number => images?.[row] ?? row;
  const parent = new Map<number, number>();
  const root = (node: number): number => {
    let top = node;
    while ((parent.get(top) ?? top) !== top) top = parent.get(top)!;
    parent.set(node, top);
    return top;
  };
  pairs.same.forEach((same, i) => {
    if (same === 1) parent.set(root(image(pairs.left[i]!)), root(image(pairs.right[i]!)));
  });
  return { ...renumbered(pairs, (row) => root(image(row))), from: 'pairs' };
}

/** The folder that a path lies in; '' at the top. */
const above = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

/** One number per different text. */
function numbered(texts: readonly string[]): Uint32Array {
  const known = new Map<string, number>();
  return Uint32Array.from(texts, (text) => {
    const number = known.get(text) ?? known.size;
    known.set(text, number);
    return number;
  });
}

function renumbered({ left, right }: Pairs, identity: (row: number) => number): Omit<PairIdentities, 'from'> {
  const known = new Map<number, number>();
  const number = (row: number): number => {
    const key = identity(row);
    const value = known.get(key) ?? known.size;
    known.set(key, value);
    return value;
  };
  return { left: left.map(number), right: right.map(number), count: known.size };
}
