/**
 * Agglomerative clustering (AHC) with average linkage: joins the two most alike clusters until none is alike enough.
 *
 *     alike(A, B) = Σ w_i · w_j · cos(i, j) / Σ w_i · w_j over i in A, j in B = S_A · S_B / (W_A · W_B)
 *
 * With the sums S_A = Σ w_i · u_i no matrix of distances is kept: memory is that of the features. A chain of nearest
 * neighbours finds the same tree as the search for the best of all pairs, in O(N²) products instead of O(N³).
 *
 * @see Murtagh, "A survey of recent advances in hierarchical clustering algorithms", 1983
 */
import { product } from '../../row-products.ts';
import { countOf, type WeightedRows } from './unit-rows.ts';

/** One step of the tree: the clusters of two faces become one. */
export interface Merge {
  readonly left: number;
  readonly right: number;
  /** How alike the two clusters are: mean cosine. */
  readonly similarity: number;
}

/**
 * @param least - merges below this mean cosine are left out
 * @returns the merges, most alike first
 */
export function averageLinkage(rows: WeightedRows, least: number): Merge[] {
  const { units, dimension } = rows;
  const count = countOf(rows);
  const weights = rows.weights.slice();
  const sums = Float64Array.from(units, (value, at) => value * weights[Math.floor(at / dimension)]!);
  const active = Uint32Array.from({ length: count }, (_, i) => i); // those in front of `left`
  const place = active.slice();
  let left = count;
  const retire = (cluster: number): void => {
    const [at, last] = [place[cluster]!, active[--left]!];
    active[at] = last;
    place[last] = at;
  };
  const similarity = (a: number, b: number): number =>
    product(sums, a * dimension, sums, b * dimension, dimension) / (weights[a]! * weights[b]!);
  const merges: Merge[] = [];
  const chain: number[] = [];
  while (left > 1) {
    if (chain.length === 0) chain.push(active[0]!);
    const [from, before] = [chain.at(-1)!, chain.at(-2)];
    // The one before wins ties: the chain cannot go round in circles.
    let [nearest, most] = [before, before === undefined ? Number.NEGATIVE_INFINITY : similarity(from, before)];
    for (let i = 0; i < left; i++) {
      const other = active[i]!;
      if (other === from) continue;
      const value = similarity(from, other);
      if (value > most) [nearest, most] = [other, value];
    }
    if (most < least) {
      // Merges of others never bring them nearer, so this cluster is complete.
      retire(from);
      chain.pop();
    } else if (nearest !== before) chain.push(nearest!);
    else {
      merges.push({ left: before!, right: from, similarity: most });
      for (let d = 0; d < dimension; d++) sums[before! * dimension + d]! += sums[from * dimension + d]!;
      weights[before!]! += weights[from]!;
      retire(from);
      chain.length -= 2;
    }
  }
  return merges.sort((a, b) => b.similarity - a.similarity);
}

/** @returns (N) clusters after all merges at or above the threshold */
export function cutTree(merges: readonly Merge[], count: number, threshold: number): Uint32Array {
  const parent = Uint32Array.from({ length: count }, (_, i) => i);
  const root = (row: number): number => {
    let top = row;
    while (parent[top] !== top) top = parent[top] = parent[parent[top]!]!;
    return top;
  };
  for (const { left, right, similarity } of merges) if (similarity >= threshold) parent[root(right)] = root(left);
  return parent.map((_, row) => root(row));
}
