/** Groups of faces while they grow. */
import { product } from '../row-products.ts';

/** Some faces as one direction. */
export interface FaceSum {
  readonly faces: { readonly length: number };
  /** (D) sum of the embeddings: as in the paper, a good face has more weight. */
  readonly sum: Float64Array;
  /** L2 norm of the sum. */
  readonly length: number;
}

/** Faces that are one person so far. Changes when another group is absorbed. */
export interface Group extends FaceSum {
  /** Faces by rank: 0 has the highest magnitude. */
  readonly faces: number[];
  length: number;
  readonly photos: Set<string>;
  readonly sets: Set<string>;
  /** Sets of faces that a user keeps apart from these. */
  readonly apart: Set<string>;
  /** Changes with the group. */
  version: number;
}

/**
 * Similarities of different people's templates spread more widely than those of single faces, on which thresholds are measured:
 * by 1.08 times if both have many faces. Read off the default model's templates of LFW at 8 faces each; another model may need another value.
 */
const manyFaces = 1.08;

const spreadOf = ({ faces }: FaceSum): number => 1 + (manyFaces - 1) * (1 - 1 / faces.length);

/** @returns the cosine of two groups' templates, on the scale of single faces; 0 for an embedding of zeros */
export function likeness(a: FaceSum, b: FaceSum): number {
  const lengths = a.length * b.length * Math.sqrt(spreadOf(a) * spreadOf(b));
  return lengths === 0 ? 0 : product(a.sum, 0, b.sum, 0, a.sum.length) / lengths;
}

/** Whether two groups may be one person: no photo shows both, and nobody said otherwise. */
export const mayJoin = (a: Group, b: Group): boolean =>
  areDisjoint(a.photos, b.photos) && areDisjoint(a.apart, b.sets) && areDisjoint(b.apart, a.sets);

function areDisjoint(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  const [few, many] = a.size < b.size ? [a, b] : [b, a];
  for (const one of few) if (many.has(one)) return false;
  return true;
}

/** Adds the faces of another group. */
export function absorb(group: Group, other: Group): void {
  group.faces.push(...other.faces);
  for (let d = 0; d < group.sum.length; d++) group.sum[d]! += other.sum[d]!;
  group.length = Math.sqrt(product(group.sum, 0, group.sum, 0, group.sum.length));
  for (const key of ['photos', 'sets', 'apart'] as const) for (const one of other[key]) group[key].add(one);
  group.version++;
}
