/**
 * k-means (Lloyd's algorithm) over unit vectors u_i with weights w_i:
 *
 *     centre c_k = Σ w_i · u_i / Σ w_i over its faces;   each face goes to the centre nearest to it
 *
 * The first centres are faces: a random one, then each with a chance that grows with its weight and its squared distance to
 * the nearest centre so far (k-means++).
 *
 * @see Arthur and Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007
 */
import { ConfigError } from '../../errors.ts';
import { randomStream } from '../../random.ts';
import { product } from '../../row-products.ts';
import { countOf, type WeightedRows } from './unit-rows.ts';

/** Options of k-means. */
export interface KMeansOptions {
  /** k: number of clusters, 1 to N. */
  readonly clusters: number;
  /** @default 1 */
  readonly seed?: number;
  /** Most rounds; it stops as soon as no face moves. @default 100 */
  readonly rounds?: number;
  /** (k) rows to begin with. @default k-means++ */
  readonly initial?: readonly number[];
}

/** @returns (N) the cluster of each face. A cluster that loses all its faces keeps its centre. */
export function kMeans(rows: WeightedRows, { clusters, seed = 1, rounds = 100, initial }: KMeansOptions): Uint32Array {
  const { units, dimension } = rows;
  const count = countOf(rows);
  if (!Number.isInteger(clusters) || clusters < 1 || clusters > count)
    throw new ConfigError('clusters', {
      expected: `1 to ${count} clusters (at most one per face)`,
      received: clusters,
      remedy: 'change the number',
    });
  const first = initial ?? spreadRows(rows, clusters, randomStream(seed));
  const centres = new Float64Array(clusters * dimension);
  first.forEach((row, k) => {
    centres.set(units.subarray(row * dimension, (row + 1) * dimension), k * dimension);
  });
  const halves = Float64Array.from({ length: clusters }, (_, k) => halfSquare(centres, k, dimension));
  const labels = new Uint32Array(count);
  // u·c − |c|² / 2 is greatest where the distance is least.
  const best = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
  const all = Array.from(halves.keys());
  let moved: readonly number[] = all;
  for (let round = 0; round < rounds && moved.length > 0; round++) {
    const isMoved = new Uint8Array(clusters);
    for (const k of moved) isMoved[k] = 1;
    const touched = new Set<number>();
    for (let i = 0; i < count; i++) {
      const before = labels[i]!;
      // A centre at rest keeps its value, so a face of such a centre only looks at those that moved.
      if (isMoved[before] === 1) best[i] = Number.NEGATIVE_INFINITY;
      for (const k of isMoved[before] === 1 ? all : moved) {
        const value = product(units, i * dimension, centres, k * dimension, dimension) - halves[k]!;
        if (value > best[i]!) [best[i], labels[i]] = [value, k];
      }
      if (round === 0 || labels[i] !== before) touched.add(before).add(labels[i]!);
    }
    if (round === 0) for (const k of all) touched.add(k);
    moved = [...touched].sort((a, b) => a - b);
    moveCentres(rows, labels, { centres, halves, touched });
  }
  return labels;
}

interface Centres {
  readonly centres: Float64Array;
  readonly halves: Float64Array;
  /** Clusters whose faces changed. */
  readonly touched: ReadonlySet<number>;
}

function moveCentres(
  { units, dimension, weights }: WeightedRows,
  labels: Uint32Array,
  { centres, halves, touched }: Centres,
): void {
  const totals = new Float64Array(halves.length);
  labels.forEach((k, i) => {
    totals[k]! += weights[i]!;
  });
  for (const k of touched) if (totals[k]! > 0) centres.fill(0, k * dimension, (k + 1) * dimension);
  labels.forEach((k, i) => {
    if (!touched.has(k)) return;
    const share = weights[i]! / totals[k]!;
    for (let d = 0; d < dimension; d++) centres[k * dimension + d]! += share * units[i * dimension + d]!;
  });
  for (const k of touched) halves[k] = halfSquare(centres, k, dimension);
}

const halfSquare = (centres: Float64Array, k: number, dimension: number): number =>
  product(centres, k * dimension, centres, k * dimension, dimension) / 2;

function spreadRows(rows: WeightedRows, clusters: number, random: () => number): number[] {
  const { units, dimension, weights } = rows;
  const count = countOf(rows);
  const chances = weights.slice();
  const nearest = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  const chosen: number[] = [];
  while (chosen.length < clusters) {
    const row = drawRow(chances, random);
    chosen.push(row);
    for (let i = 0; i < count; i++) {
      const distance = Math.max(0, 2 - 2 * product(units, i * dimension, units, row * dimension, dimension));
      nearest[i] = i === row ? 0 : Math.min(nearest[i]!, distance);
      chances[i] = weights[i]! * nearest[i]!;
    }
  }
  return chosen;
}

/** Without any chance left (all faces are copies of the chosen ones) it takes the last row. */
function drawRow(chances: Float64Array, random: () => number): number {
  let left = random() * chances.reduce((sum, chance) => sum + chance, 0);
  for (let i = 0; i < chances.length; i++) {
    left -= chances[i]!;
    if (left < 0) return i;
  }
  return chances.length - 1;
}
