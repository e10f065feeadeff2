/** The people whom each face resembles most, without its own. */
import { product } from '../../row-products.ts';
import { rowOf } from '../feature-set.ts';
import { hasFeature, type LabelledFaces, type LabelledPerson } from './labelled-faces.ts';

/** A person by number, and how much a face resembles the person's other faces: a cosine. */
export interface Resemblance {
  readonly person: number;
  readonly similarity: number;
}

/**
 * @param people - from `peopleIn`
 * @param options.most - number of people for each face
 * @param options.least - lowest similarity that counts
 * @returns (N) the people, the most similar first
 */
export function nearestPeople(
  faces: LabelledFaces,
  people: readonly LabelledPerson[],
  { most, least }: { readonly most: number; readonly least: number },
): Resemblance[][] {
  const { dimension } = faces.features;
  const units = new Float32Array(people.length * dimension);
  people.forEach(({ sum, length }, k) => {
    if (length > 0) for (let d = 0; d < dimension; d++) units[k * dimension + d] = sum[d]! / length;
  });
  return Array.from({ length: faces.people.length }, (_, i) => {
    if (!hasFeature(faces, i)) return [];
    const row = rowOf(faces.features, i);
    const length = Math.sqrt(product(row, 0, row, 0, dimension));
    let nearest: Resemblance[] = [];
    let bar = least;
    for (let person = 0; person < people.length; person++) {
      if (person === faces.people[i]!) continue;
      const similarity = product(units, person * dimension, row, 0, dimension) / length;
      if (similarity < bar) continue;
      nearest = [...nearest, { person, similarity }].sort((a, b) => b.similarity - a.similarity).slice(0, most);
      if (nearest.length === most) bar = nearest.at(-1)!.similarity;
    }
    return nearest;
  });
}
