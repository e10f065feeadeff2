/**
 * DBSCAN over the graph of similar faces: a face is a core if the weights of its neighbours and its own sum to `minFaces`.
 * Cores that are neighbours share a cluster. Any other face joins the core most like it, or else stays alone.
 *
 * Where a face borders on several clusters, the original takes the one found first; the most alike core does not depend on
 * the order of the faces.
 *
 * @see Ester et al., "A density-based algorithm for discovering clusters", KDD 1996
 */
import type { Neighbours } from './neighbours.ts';

/** Options of DBSCAN. */
export interface DensityOptions {
  /** (N) 1 on average. */
  readonly weights: Float64Array;
  /** Weight around a core, its own included. */
  readonly minFaces: number;
}

/** @returns (N) the cluster of each face; a face alone has a cluster of its own */
export function densityClusters(graph: Neighbours, { weights, minFaces }: DensityOptions): Uint32Array {
  const { starts, faces, cosines } = graph;
  const isCore = weights.map((own, i) => {
    let around = own;
    for (let k = starts[i]!; k < starts[i + 1]!; k++) around += weights[faces[k]!]!;
    return around >= minFaces - 1e-9 ? 1 : 0;
  });
  const labels = Uint32Array.from(weights.keys());
  const seen = new Uint8Array(weights.length);
  for (let first = 0; first < labels.length; first++) {
    if (isCore[first] === 0 || seen[first] === 1) continue;
    const open = [first];
    seen[first] = 1;
    for (let core = open.pop(); core !== undefined; core = open.pop()) {
      labels[core] = first;
      for (let k = starts[core]!; k < starts[core + 1]!; k++) {
        const face = faces[k]!;
        if (isCore[face] === 0 || seen[face] === 1) continue;
        seen[face] = 1;
        open.push(face);
      }
    }
  }
  for (let i = 0; i < labels.length; i++) {
    if (isCore[i] === 1) continue;
    let most = Number.NEGATIVE_INFINITY;
    for (let k = starts[i]!; k < starts[i + 1]!; k++)
      if (isCore[faces[k]!] === 1 && cosines[k]! > most) [most, labels[i]] = [cosines[k]!, labels[faces[k]!]!];
  }
  return labels;
}
