/** Decides from the findings which images of the training sets to keep, and under which label. */
import type { Calibration } from '../../quality.ts';
import { qualityScore } from '../../quality.ts';
import type { DataCheck } from './check-data.ts';
import { groupsOf } from './same-people.ts';

/** Why an image is left out or gets another label. */
export type CleaningReason =
  | 'unusable'
  | 'person_in_test_set'
  | 'photo_in_test_set'
  | 'duplicate'
  | 'outlier'
  | 'mislabelled'
  | 'same_person';

/** What happens to one image. */
export interface CleanedImage {
  /** Index of the image. */
  readonly image: number;
  /** Person of the cleaned list, from 0 without gaps; null if the image is left out. */
  readonly label: number | null;
  /** Absent if the image keeps its person. */
  readonly reason?: CleaningReason;
}

/** Faces of lower quality may be unlike their person without being someone else. */
const poor = 20;

/**
 * Unusable images, outliers of quality 20 and more, and everything that a test set has are left out. Of duplicates the best
 * stays. Mislabelled images go to the person whom they resemble, and people with two labels get one.
 *
 * @returns one entry for each image of a training set, in their order
 */
export function cleanData(check: DataCheck, calibration?: Calibration): CleanedImage[] {
  const { images, people, sets, samePeople, duplicates } = check;
  const isTest = (person: number): boolean => sets[people[person]!.set]!.isTest;
  const reasons = new Map<number, CleaningReason>();
  const wanted = images.map(({ person }) => person);
  for (const { face, person } of check.mislabelled) wanted[face] = person;
  const group = groupsOf(
    people.length,
    samePeople.map(({ people: pair }) => pair),
  );
  const tested = new Set(people.flatMap((_, k) => (isTest(k) ? [group[k]!] : [])));
  const isPoor = (i: number): boolean =>
    calibration !== undefined && qualityScore(images[i]!.magnitude, calibration) < poor;

  for (const { image } of check.unusable) reasons.set(image, 'unusable');
  for (const [i, person] of wanted.entries())
    if (!reasons.has(i) && tested.has(group[person]!)) reasons.set(i, 'person_in_test_set');
  for (const { face, undecided } of check.outliers)
    if (!reasons.has(face) && !undecided && !isPoor(face)) reasons.set(face, 'outlier');
  for (const { faces } of duplicates) {
    const [a, b] = faces.toSorted(
      (x, y) =>
        Number(isTest(images[y]!.person)) - Number(isTest(images[x]!.person)) ||
        images[y]!.magnitude - images[x]!.magnitude,
    );
    if (reasons.has(b!) || (reasons.has(a!) && !isTest(images[a!]!.person))) continue; // one of the two is left out already
    reasons.set(b!, isTest(images[a!]!.person) ? 'photo_in_test_set' : 'duplicate');
  }

  const numbers = new Map<number, number>();
  return images.flatMap(({ person }, image): CleanedImage[] => {
    if (isTest(person)) return [];
    const reason = reasons.get(image);
    if (reason !== undefined) return [{ image, label: null, reason }];
    const key = group[wanted[image]!]!;
    const label = numbers.get(key) ?? numbers.size;
    numbers.set(key, label);
    if (wanted[image] !== person) return [{ image, label, reason: 'mislabelled' }];
    return [{ image, label, ...(key !== person && { reason: 'same_person' as const }) }];
  });
}
