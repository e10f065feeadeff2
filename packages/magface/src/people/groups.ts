/** Groups of faces while they grow. */
import { product } from '../row-products.ts';

/** Some faces as one direction. */
export interface FaceSum {
  readonly faces: { readonly length: number };
  /** (D) weighted sum of the faces' directions. */
  readonly sum: Float32Array | Float64Array;
  /** L2 norm of the sum. */
  readonly length: number;
}

/** Faces that are one person so far. Changes when another group is absorbed. */
export interface Group extends FaceSum {
  /** Faces by rank: 0 has the highest magnitude. */
  readonly faces: number[];
  readonly sum: Float32Array;
  length: number;
  /** What the faces say of their person's direction: see `evidence.ts`. */
  evidence: number;
  readonly photos: Set<string>;
  readonly sets: Set<string>;
  /** Sets of faces that a user keeps apart from these; undefined without any. */
  apart: Set<string> | undefined;
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

function areDisjoint(a: ReadonlySet<string> | undefined, b: ReadonlySet<string>): boolean {
  if (a === undefined) return true;
  const [few, many] = a.size < b.size ? [a, b] : [b, a];
  for (const one of few) if (many.has(one)) return false;
  return true;
}

/** Adds the faces of another group. */
export function absorb(group: Group, other: Group): void {
  for (const face of other.faces) group.faces.push(face);
  for (let d = 0; d < group.sum.length; d++) group.sum[d]! += other.sum[d]!;
  group.length = Math.sqrt(product(group.sum, 0, group.sum, 0, group.sum.length));
  group.evidence += other.evidence;
  for (const key of ['photos', 'sets'] as const) for (const one of other[key]) group[key].add(one);
  if (other.apart !== undefined) {
    group.apart ??= new Set();
    for (const one of other.apart) group.apart.add(one);
  }
  group.version++;
}
