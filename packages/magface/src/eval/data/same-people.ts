/** Labels that are probably one person, within a set or across sets. */
import type { DecisionThreshold } from '../../decision.ts';
import { similarityAt } from '../../false-match-rate.ts';
import { likeness } from '../../people/groups.ts';
import type { FeatureSet } from '../feature-set.ts';
import { type LabelledFaces, type LabelledPerson, likenessTo } from './labelled-faces.ts';

/** Two labels that are probably one person. */
export interface SamePerson {
  /** Numbers of people, rising. */
  readonly people: readonly [number, number];
  /** The cosine of their sums, on the scale of single faces. */
  readonly similarity: number;
}

/**
 * Share of their own likeness that the faces of one label must have to the other label's. On all of LFW and CelebA, pairs of one
 * person with two names have 0.84 and more, most others less than 0.8; brothers and sisters can have as much as one person.
 */
const leastShare = 0.8;

/**
 * Compares every two people. Their sums must be as similar as in `groupPeople`, which expects a hundredth of a wrong answer for
 * each person; brothers can be. So the faces of each label must also resemble the other label's sum four fifths as much as
 * their own: as the sum of as many faces, since a sum of few is less like its person.
 *
 * @param areCompared - whether people of two sets are compared. @default all are
 * @returns the most similar first
 * @throws {ConfigError} if the model has no thresholds
 */
export function findSamePeople(
  { features }: LabelledFaces,
  people: readonly LabelledPerson[],
  { thresholds, areCompared = () => true }: SamePeopleOptions,
): SamePerson[] {
  const bar = similarityAt(0.02 / Math.max(1, people.length - 1), thresholds);
  const own = people.map((person) => (person.faces.length < 2 ? undefined : meanLikeness(features, person, person)));
  const isAlike = (a: number, b: number): boolean => {
    const [mine, from, to] = [own[a], people[a]!, people[b]!];
    if (mine === undefined) return true;
    const wanted = likenessToSumOf(to.faces.length, { likeness: mine, faces: from.faces.length - 1 });
    return meanLikeness(features, from, to) >= leastShare * wanted;
  };
  const found: SamePerson[] = [];
  for (const [a, one] of people.entries())
    for (let b = a + 1; b < people.length; b++) {
      if (!areCompared(one.set, people[b]!.set)) continue;
      const similarity = likeness(one, people[b]!);
      if (similarity >= bar && isAlike(a, b) && isAlike(b, a)) found.push({ people: [a, b], similarity });
    }
  return found.sort((x, y) => y.similarity - x.similarity);
}

/** How {@link findSamePeople} decides. */
export interface SamePeopleOptions {
  /** Of the model. */
  readonly thresholds: readonly DecisionThreshold[];
  readonly areCompared?: (setA: number, setB: number) => boolean;
}

/** The mean cosine of a person's faces to the sum of another person's, or of the person's other faces. */
function meanLikeness(features: FeatureSet, person: LabelledPerson, to: LabelledPerson): number {
  return person.faces.reduce((sum, face) => sum + likenessTo(features, to, face), 0) / person.faces.length;
}

/**
 * How like a face is to the sum of so many of its person's faces, from how like it is to a sum of others. With ρ the cosine of two
 * faces it is √k ρ / √(1 + (k − 1) ρ) for k faces.
 */
export function likenessToSumOf(
  count: number,
  { likeness: known, faces }: { readonly likeness: number; readonly faces: number },
): number {
  if (known <= 0) return known;
  const half = known ** 2 * (faces - 1);
  const rho = (half + Math.sqrt(half ** 2 + 4 * faces * known ** 2)) / (2 * faces);
  return (rho * Math.sqrt(count)) / Math.sqrt(1 + (count - 1) * rho);
}

/** @returns (count) the smallest number of each one's group, over all pairs that belong together */
export function groupsOf(count: number, pairs: Iterable<readonly [number, number]>): Uint32Array {
  const parent = Uint32Array.from({ length: count }, (_, i) => i);
  const root = (of: number): number => {
    let at = of;
    while (parent[at] !== at) at = parent[at] = parent[parent[at]!]!;
    return at;
  };
  for (const [a, b] of pairs) {
    const [x, y] = [root(a), root(b)];
    parent[Math.max(x, y)] = Math.min(x, y);
  }
  return parent.map((_, i) => root(i));
}
