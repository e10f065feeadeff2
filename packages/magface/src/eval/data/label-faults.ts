/**
 * Faces that do not look like the others of their label: those that look like another person, and outliers.
 *
 * A face is compared with the sum of its person's other faces. Faults spoil these sums, so they are left out of them and the
 * comparison is repeated.
 */
import type { DecisionThreshold } from '../../decision.ts';
import { similarityAt } from '../../false-match-rate.ts';
import { hasFeature, type LabelledFaces, type LabelledPerson, likenessTo, peopleIn } from './labelled-faces.ts';
import { nearestPeople, type Resemblance } from './nearest-people.ts';

/** A face that resembles another person than its label says. */
export interface Mislabelled {
  readonly face: number;
  /** Cosine to its label's other faces; null if there are none. */
  readonly own: number | null;
  /** The person whom it resembles, and its cosine to that person's faces. */
  readonly person: number;
  readonly similarity: number;
  /** A face of that person which resembles this one's: both labels were probably swapped. */
  readonly swappedWith?: number;
}

/** A face that resembles neither its label's other faces nor anybody else. */
export interface Outlier {
  readonly face: number;
  /** Cosine to its label's other faces. */
  readonly own: number;
  /** The label has two faces only: either may be the wrong one. */
  readonly undecided: boolean;
}

/** Faces whose labels are probably wrong. */
export interface LabelFaults {
  readonly mislabelled: readonly Mislabelled[];
  readonly outliers: readonly Outlier[];
}

/** Rules of the search. */
export interface FaultOptions {
  /** Of the model. */
  readonly thresholds: readonly DecisionThreshold[];
  /** Expected number of faces wrongly called mislabelled, for each face. @default 0.01 */
  readonly wrongCalls?: number;
  /** Whether two labels are one person. @default none are */
  readonly areOne?: (a: number, b: number) => boolean;
}

/** By how much a face must resemble another person more than its own. */
const margin = 0.1;

/** Rounds: the second no longer sees the faults of the first in the sums. */
const rounds = 2;

/** @throws {ConfigError} if the model has no thresholds */
export function findLabelFaults(faces: LabelledFaces, options: FaultOptions): LabelFaults {
  const { thresholds, wrongCalls = 0.01, areOne = () => false } = options;
  let found: LabelFaults = { mislabelled: [], outliers: [] };
  for (let round = 0; round < rounds; round++) {
    const faults = new Set([...found.mislabelled, ...found.outliers].map(({ face }) => face));
    const people = peopleIn(faces, faults);
    const others = Math.max(1, people.length - 1);
    const bar = similarityAt(wrongCalls / others, thresholds);
    const nearest = nearestPeople(faces, people, { most: 3, least: bar });
    found = judge(faces, { people, nearest, loose: similarityAt(1, thresholds), areOne });
  }
  return found;
}

interface Judging {
  readonly people: readonly LabelledPerson[];
  readonly nearest: readonly (readonly Resemblance[])[];
  /** Cosine below which a face is unlike its person. */
  readonly loose: number;
  readonly areOne: (a: number, b: number) => boolean;
}

function judge(faces: LabelledFaces, { people, nearest, loose, areOne }: Judging): LabelFaults {
  const [mislabelled, outliers]: [Mislabelled[], Outlier[]] = [[], []];
  const sizes = new Uint32Array(people.length);
  for (let i = 0; i < faces.people.length; i++) if (hasFeature(faces, i)) sizes[faces.people[i]!]!++;
  for (let face = 0; face < faces.people.length; face++) {
    if (!hasFeature(faces, face) || faces.testSets?.has(faces.sets[face]!)) continue;
    const label = faces.people[face]!;
    if (sizes[label] === 1) continue; // nothing to compare it with: that two labels are one person is another question
    const hasOthers = people[label]!.faces.some((other) => other !== face);
    const own = hasOthers ? likenessTo(faces.features, people[label]!, face) : null;
    const other = nearest[face]!.find(({ person }) => !areOne(label, person));
    if (other !== undefined && (own === null || (own < other.similarity - margin && own < loose + margin)))
      mislabelled.push({ face, own, ...other });
    else if (own !== null && own < loose) outliers.push({ face, own, undecided: sizes[label] === 2 });
  }
  return { mislabelled: withSwaps(mislabelled, faces.people), outliers };
}

/** Two faces with each other's person are a swap; each face is in one swap at most. */
function withSwaps(mislabelled: readonly Mislabelled[], people: ArrayLike<number>): Mislabelled[] {
  const partner = new Map<number, number>();
  for (const { face, person } of mislabelled) {
    if (partner.has(face)) continue;
    const back = mislabelled.find(
      (other) => !partner.has(other.face) && people[other.face] === person && other.person === people[face],
    );
    if (back === undefined) continue;
    partner.set(face, back.face).set(back.face, face);
  }
  return mislabelled.map((one) => {
    const swappedWith = partner.get(one.face);
    return swappedWith === undefined ? one : { ...one, swappedWith };
  });
}
