/** Faces of training and test sets with the people that their labels name. */
import type { FaceSum } from '../../people/groups.ts';
import { product } from '../../row-products.ts';
import { type FeatureSet, rowOf } from '../feature-set.ts';

/** N faces of one or several sets, side by side. */
export interface LabelledFaces {
  /** (N, D), not normalized; a row of zeros for an image without a face. */
  readonly features: FeatureSet;
  /** (N) set of each face, from 0. */
  readonly sets: ArrayLike<number>;
  /** (N) person of each face, from 0 over all sets: people of different sets have different numbers. */
  readonly people: ArrayLike<number>;
  /** Sets to test on: their faces are never at fault. @default none */
  readonly testSets?: ReadonlySet<number>;
}

/** A person: the faces with one label, and their sum. */
export interface LabelledPerson extends FaceSum {
  readonly set: number;
  /** Indices of the faces that have a feature. */
  readonly faces: readonly number[];
}

/** @returns whether face i has a feature */
export const hasFeature = ({ features }: LabelledFaces, i: number): boolean => {
  const row = rowOf(features, i);
  return product(row, 0, row, 0, row.length) > 0;
};

/**
 * @param leftOut - faces that belong to no person
 * @returns (K) the people by number; one without faces has a sum of zeros
 */
export function peopleIn(faces: LabelledFaces, leftOut: ReadonlySet<number> = new Set()): LabelledPerson[] {
  const { people, sets } = faces;
  const count = Array.from(people).reduce((most, person) => Math.max(most, person), -1) + 1;
  const members = Array.from({ length: count }, (): number[] => []);
  const setOf = new Uint32Array(count);
  for (let i = 0; i < people.length; i++) {
    setOf[people[i]!] = sets[i]!;
    if (!leftOut.has(i) && hasFeature(faces, i)) members[people[i]!]!.push(i);
  }
  return members.map((of, person) => ({ set: setOf[person]!, ...sumOf(faces, of) }));
}

/** @returns the sum of some faces */
export function sumOf({ features }: LabelledFaces, faces: readonly number[]): FaceSum & Pick<LabelledPerson, 'faces'> {
  const sum = new Float64Array(features.dimension);
  for (const i of faces)
    rowOf(features, i).forEach((value, d) => {
      sum[d]! += value;
    });
  return { faces, sum, length: Math.sqrt(product(sum, 0, sum, 0, sum.length)) };
}

/** @returns the cosine of a face and the sum of a person's faces, without that face */
export function likenessTo(features: FeatureSet, { faces, sum }: LabelledPerson, face: number): number {
  const row = rowOf(features, face);
  const rest = faces.includes(face) ? sum.map((value, d) => value - row[d]!) : sum;
  const lengths = Math.sqrt(product(rest, 0, rest, 0, rest.length) * product(row, 0, row, 0, row.length));
  return lengths === 0 ? 0 : product(rest, 0, row, 0, rest.length) / lengths;
}
