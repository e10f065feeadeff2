/** The graph of similar faces: for each face those whose cosine reaches a threshold. */
import { eachPair } from '../../row-products.ts';
import { countOf, type WeightedRows } from './unit-rows.ts';

/** The neighbours of face i are `faces[starts[i]]` up to `faces[starts[i + 1] - 1]`, without i itself, in any order. */
export interface Neighbours {
  /** (N + 1) */
  readonly starts: Uint32Array;
  readonly faces: Uint32Array;
  readonly cosines: Float32Array;
}

/** @param least - least cosine of two neighbours */
export function findNeighbours(rows: WeightedRows, least: number): Neighbours {
  const { units, dimension } = rows;
  const count = countOf(rows);
  const [left, right, cosines]: [number[], number[], number[]] = [[], [], []];
  eachPair(units, dimension, (i, j, product) => {
    const cosine = Math.fround(product);
    if (cosine < least) return;
    left.push(i);
    right.push(j);
    cosines.push(cosine);
  });
  const starts = new Uint32Array(count + 1);
  for (const side of [left, right]) for (const face of side) starts[face + 1]!++;
  for (let i = 0; i < count; i++) starts[i + 1]! += starts[i]!;
  const next = starts.slice();
  const graph = { starts, faces: new Uint32Array(2 * left.length), cosines: new Float32Array(2 * left.length) };
  const add = (from: number, to: number, cosine: number): void => {
    graph.cosines[next[from]!] = cosine;
    graph.faces[next[from]!++] = to;
  };
  cosines.forEach((cosine, edge) => {
    add(left[edge]!, right[edge]!, cosine);
    add(right[edge]!, left[edge]!, cosine);
  });
  return graph;
}

/** @returns the same graph without the neighbours below a cosine */
export function atLeast({ starts, faces, cosines }: Neighbours, least: number): Neighbours {
  const isKept = cosines.map((cosine) => (cosine >= least ? 1 : 0));
  const fewer = new Uint32Array(starts.length);
  for (let i = 1; i < starts.length; i++)
    fewer[i] = fewer[i - 1]! + isKept.subarray(starts[i - 1]!, starts[i]!).reduce((sum, kept) => sum + kept, 0);
  return {
    starts: fewer,
    faces: faces.filter((_, k) => isKept[k] === 1),
    cosines: cosines.filter((_, k) => isKept[k] === 1),
  };
}
