/**
 * Groups faces by person, without names. In order of decreasing magnitude, each face joins the most similar person, or
 * starts a new one if none reaches the threshold. A person is the sum of its faces' embeddings, which weights each face
 * by its magnitude: a blurred face has little influence.
 *
 * @see Meng et al., CVPR 2021, section 4.2: templates weighted by magnitude
 */
import { magnitudeOf } from './quality.ts';
import { compare } from './similarity.ts';

export interface PeopleOptions {
  /** Minimum cosine similarity of a face to its person: one of the model's thresholds. */
  readonly threshold: number;
  /** The image of each face. Two faces in one image are never the same person. @default unknown, no such constraint */
  readonly images?: readonly unknown[] | undefined;
}

/**
 * @param embeddings - (D) float32 each, from one model, not normalized
 * @returns the person of each face, numbered from 0 in order of first appearance
 */
export function groupPeople(embeddings: readonly Float32Array[], { threshold, images }: PeopleOptions): number[] {
  const magnitudes = embeddings.map(magnitudeOf);
  const order = embeddings.map((_, i) => i).sort((a, b) => magnitudes[b]! - magnitudes[a]!);
  const sums: Float32Array[] = [];
  const imagesOf: Set<unknown>[] = [];
  const personOf = new Array<number>(embeddings.length).fill(0);
  for (const i of order) {
    const embedding = embeddings[i]!;
    let [best, person] = [threshold, sums.length];
    if (magnitudes[i]! > 0) {
      for (const [k, sum] of sums.entries()) {
        if (images !== undefined && imagesOf[k]!.has(images[i])) continue;
        const similarity = compare(sum, embedding);
        if (similarity >= best) [best, person] = [similarity, k];
      }
    }
    personOf[i] = person;
    imagesOf[person] = (imagesOf[person] ?? new Set()).add(images?.[i]);
    sums[person] = sums[person]?.map((value, d) => value + embedding[d]!) ?? embedding;
  }
  const numbers = new Map<number, number>();
  for (const person of personOf) if (!numbers.has(person)) numbers.set(person, numbers.size);
  return personOf.map((person) => numbers.get(person)!);
}
