/**
 * Magnitude as the rule who may found a cluster: only faces of high magnitude are clustered. Every other face then joins
 * the cluster whose founders are most alike to it on average, or stays alone if none reaches the threshold.
 */
import { product } from '../../row-products.ts';
import { countOf, pickRows, type WeightedRows } from './unit-rows.ts';

/** @returns the rows of the highest weights, a share of all, in their order */
export function foundersOf(weights: Float64Array, share: number): number[] {
  const order = Array.from(weights.keys()).sort((a, b) => weights[b]! - weights[a]! || a - b);
  return order.slice(0, Math.max(1, Math.round(share * weights.length))).sort((a, b) => a - b);
}

/**
 * @param founders - their rows, rising
 * @param labels - (F) the cluster of each founder, below F
 * @param threshold - least mean cosine to a cluster's founders; undefined if every face must join one
 * @returns (N) the cluster of each face
 */
export function joinFounders(
  rows: WeightedRows,
  founders: readonly number[],
  { labels, threshold }: { readonly labels: Uint32Array; readonly threshold?: number | undefined },
): Uint32Array {
  const { units, dimension } = rows;
  const count = countOf(rows);
  const chosen = pickRows(rows, founders);
  const sums = new Float64Array(founders.length * dimension);
  const totals = new Float64Array(founders.length);
  labels.forEach((label, i) => {
    totals[label]! += chosen.weights[i]!;
    for (let d = 0; d < dimension; d++)
      sums[label * dimension + d]! += chosen.weights[i]! * chosen.units[i * dimension + d]!;
  });
  const clusters = [...new Set(labels)];
  const all = new Uint32Array(count);
  founders.forEach((row, i) => {
    all[row] = labels[i]!;
  });
  const isFounder = new Set(founders);
  for (let row = 0; row < count; row++) {
    if (isFounder.has(row)) continue;
    let [nearest, most] = [founders.length + row, threshold ?? Number.NEGATIVE_INFINITY];
    for (const label of clusters) {
      const cosine = product(units, row * dimension, sums, label * dimension, dimension) / totals[label]!;
      if (cosine >= most) [nearest, most] = [label, cosine];
    }
    all[row] = nearest;
  }
  return all;
}
