/** Resolves pair lists to feature rows, by the official order (pair k is feature lines 2k and 2k + 1) or by name. */
import { MagfaceError, ShapeError } from '../errors.ts';
import { withoutImageEnding } from '../image-names.ts';
import { type FeatureSet, rowsOf } from './feature-set.ts';
import type { PairList } from './pair-list.ts';
import type { Pairs } from './verification.ts';

/** Options for resolving pairs. */
export interface ResolveOptions {
  /**
   * `order`: by position, ignoring names, as in the official code. `name`: by name, which may leave out leading folders
   * and the ending. `auto`: by order where the list or the features have no names, where the names agree in that
   * order, or where no name of the list is known; else by name. @default 'auto'
   */
  readonly match?: 'auto' | 'order' | 'name';
}

/**
 * Finds the feature rows of each pair, by position or by name.
 *
 * @returns (P) rows and labels, in the order of the list
 * @throws {ShapeError} if pairs go by order and there are not exactly two feature lines per pair
 * @throws {MagfaceError} `feature_missing` if a pair names an image without features, or an ambiguous one
 */
export function resolvePairs(list: PairList, features: FeatureSet, options: ResolveOptions = {}): Pairs {
  const { match = 'auto' } = options;
  const named = list.left.every((name, k) => name !== '' && list.right[k] !== '');
  if (match === 'order' || !named || features.names === undefined) return byOrder(list, features);
  const rowOfName = rowFinder(features.names);
  if (match === 'auto' && rowsOf(features) === 2 * list.same.length) {
    const inOrder = list.left.every(
      (name, k) => features.names?.[2 * k] === name && features.names[2 * k + 1] === list.right[k],
    );
    if (inOrder || ![...list.left, ...list.right].some((name) => rowOfName(name).length > 0))
      return byOrder(list, features);
  }
  const find = (name: string, pair: number): number => oneRow(rowOfName(name), name, pair);
  return { left: Uint32Array.from(list.left, find), right: Uint32Array.from(list.right, find), same: list.same };
}

function byOrder({ same }: PairList, features: FeatureSet): Pairs {
  const rows = rowsOf(features);
  if (rows !== 2 * same.length) {
    const odd = rows % 2 === 1 ? ', an odd number' : '';
    throw new ShapeError({
      expected: `${2 * same.length} feature lines for ${same.length} pairs (pair k is lines 2k and 2k + 1)`,
      received: `${rows}${odd}`,
      remedy: 'use features and pairs of the same list',
    });
  }
  return { left: steps(same.length, 0), right: steps(same.length, 1), same };
}

const steps = (pairs: number, first: 0 | 1): Uint32Array =>
  Uint32Array.from({ length: pairs }, (_, k) => 2 * k + first);

function oneRow(rows: readonly number[], name: string, pair: number): number {
  if (rows.length === 1) return rows[0]!;
  const subject = `"${name}" of pair ${pair + 1}`;
  if (rows.length === 0)
    throw new MagfaceError('feature_missing', {
      expected: 'features for every image',
      subject,
      problem: 'has none',
      remedy: 'embed it or remove the pair',
    });
  throw new MagfaceError('feature_missing', {
    expected: 'one image',
    subject,
    problem: `matches ${rows.length} features`,
    remedy: 'add its folder to the name',
  });
}

/** Looks up names by their trailing path parts, without extension; an exact name wins. */
export function rowFinder(names: readonly string[]): (name: string) => readonly number[] {
  const exact = new Map(names.map((name, row) => [name, [row]]).reverse() as [string, number[]][]);
  const byDepth = new Map<number, Map<string, number[]>>();
  return (name) => {
    const found = exact.get(name);
    if (found !== undefined) return found;
    const depth = name.split('/').length;
    if (!byDepth.has(depth)) byDepth.set(depth, index([...exact].map(([full, [row]]) => [tail(full, depth), row!])));
    return byDepth.get(depth)?.get(tail(name, depth)) ?? [];
  };
}

const tail = (name: string, depth: number): string => withoutImageEnding(name.split('/').slice(-depth).join('/'));

function index(entries: readonly (readonly [string, number])[]): Map<string, number[]> {
  const rows = new Map<string, number[]>();
  for (const [key, row] of entries) {
    const known = rows.get(key);
    if (known === undefined) rows.set(key, [row]);
    else known.push(row);
  }
  return rows;
}
