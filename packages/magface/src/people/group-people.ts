/**
 * Groups the faces of a library by person, without a threshold to choose.
 *
 * The two groups whose similarity speaks most for one person become one (`evidence.ts`), again and again, as long as one wrong merge
 * is expected for a hundred merges (`merge-groups.ts`). A group is a weighted sum of its faces' directions, so that good faces
 * count more. A good face founds a person alone, poor ones only as three; others stay apart. Two faces of one photo are two
 * people. Neither the order of the faces nor that of the corrections matters.
 *
 * @see Meng et al., CVPR 2021, section 4.2: templates weighted by magnitude
 */
import type { DecisionThreshold } from '../decision.ts';
import { impostorLaw } from '../false-match-rate.ts';
import type { LikelihoodModel } from '../likelihood-ratio.ts';
import { magnitudeOf } from '../quality.ts';
import { eachPair, product } from '../row-products.ts';
import { type Corrections, type Rules, readCorrections } from './corrections.ts';
import { directionOf, expectedDirections } from './directions.ts';
import { faceWeight, scoreOf } from './evidence.ts';
import { absorb, type Group, likeness } from './groups.ts';
import { type Declined, mergeGroups, type PairScan } from './merge-groups.ts';

/** A face to be grouped. */
export interface LibraryFace {
  /** Unique and lasting: corrections name faces by it. */
  readonly id: string;
  /** The photo that shows it. Two faces of one photo are never one person, unless a correction says so. */
  readonly photo: string;
  /** (D) float32, not normalized. */
  readonly embedding: Float32Array;
  /** 0 to 100. Without one, the face may found a group. */
  readonly quality?: number | undefined;
}

/** Options for grouping. */
export interface PeopleOptions {
  /** Thresholds of the model: `magface.model.contract` has them. */
  readonly thresholds?: readonly DecisionThreshold[] | undefined;
  /** Of the same record: what a magnitude says. @default none: all faces are equally certain */
  readonly likelihood?: LikelihoodModel | undefined;
  /** Expected number of wrong merges for each merge. @default 0.01 */
  readonly wrongMerges?: number | undefined;
  /** Faces of lower quality, poor ones, found no person unless they are three. @default 20 */
  readonly foundingQuality?: number | undefined;
  /** @default none */
  readonly corrections?: Corrections | undefined;
}

/** One person. */
export interface Person {
  /** From the corrections; absent if nobody named one of the faces. */
  readonly name?: string;
  /** Indices of the faces, by falling magnitude: the first is the best shot. */
  readonly faces: readonly number[];
  /** Those of the faces that would not join the others now. */
  readonly doubtful: readonly number[];
}

/** Two people who may be one. */
export interface PeopleQuestion {
  /** Indices of people. */
  readonly people: readonly [number, number];
  /** The cosine of their templates, on the scale of single faces. */
  readonly similarity: number;
}

/** A library by person. */
export interface GroupedPeople {
  /** People with most faces first. */
  readonly people: readonly Person[];
  /** Poor faces that resemble nobody enough. */
  readonly unplaced: readonly number[];
  /** Similarity that a further merge would need, on average: the cosine of templates, on the scale of single faces. */
  readonly threshold: number;
  /** Mean false match rate of the comparisons; beyond the measured ones extrapolated. */
  readonly fmr: number;
  /** Comparisons of groups at the end. */
  readonly comparisons: number;
  /** The rate times the comparisons. */
  readonly expectedWrongMerges: number;
  /** Pairs that might be one person: ten times as many wrong merges would be expected with them. The likeliest first. */
  readonly questions: readonly PeopleQuestion[];
}

/**
 * Groups faces by person. The time grows with the square of their number: for many faces, `groupManyPeople` does the same
 * faster.
 *
 * @param options - `magface.model.contract` will do
 * @throws {ConfigError} if the model has no thresholds, or corrections contradict each other
 */
export function groupPeople(faces: readonly LibraryFace[], options: PeopleOptions): GroupedPeople {
  const steps = groupingSteps(faces, options);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    const { rows, dimension, least, visit } = value;
    eachPair(rows, dimension, (i, j, cosine) => {
      if (cosine >= least) visit(i, j);
    });
  }
}

/** The same in steps: the caller scans pairs of rows, however it likes. */
export function* groupingSteps(
  faces: readonly LibraryFace[],
  options: PeopleOptions,
): Generator<PairScan, GroupedPeople, void> {
  const { thresholds = [], likelihood, wrongMerges = 0.01, foundingQuality = 20, corrections = {} } = options;
  const law = impostorLaw(thresholds);
  const magnitudes = faces.map(({ embedding }) => magnitudeOf(embedding));
  const order = Array.from(faces.keys()).sort(
    (i, j) => magnitudes[j]! - magnitudes[i]! || (faces[i]!.id < faces[j]!.id ? -1 : 1),
  );
  const ranked = order.map((i) => faces[i]!);
  const rules = readCorrections(corrections);
  const alone = singleFaces(ranked, rules, likelihood);
  const groups = startGroups(alone, ranked, rules);
  const { comparisons, bar, declined } = yield* mergeGroups(groups, law, wrongMerges);

  const isFounder = (rank: number): boolean => {
    const { quality, id } = ranked[rank]!;
    return quality === undefined || quality >= foundingQuality || rules.nameOf(id) !== undefined;
  };
  const isPerson = (group: Group): boolean => group.faces.length >= fewestPoor || group.faces.some(isFounder);
  const numbers = Array.from(groups.keys()).filter((k) => groups[k] !== undefined);
  const found = numbers.filter((k) => isPerson(groups[k]!));
  const people = found.map((k) =>
    personOf(groups[k]!, { alone, rules, ranked, order, isDoubtful: (one, rest) => scoreOf(one, rest, law) < bar }),
  );
  const sorted = Array.from(people.keys()).sort((x, y) => people[y]!.faces.length - people[x]!.faces.length); // equals stay in the order of their best faces
  const places = new Map(sorted.map((at, place) => [found[at]!, place]));
  const { count } = comparisons;
  const pairs = (count * (count - 1)) / 2;
  const expectedWrongMerges = comparisons.expectedAt(bar);
  return {
    people: sorted.map((at) => people[at]!),
    unplaced: numbers
      .filter((k) => !isPerson(groups[k]!))
      .flatMap((k) => groups[k]!.faces)
      .sort((a, b) => a - b)
      .map((rank) => order[rank]!),
    threshold: comparisons.similarityFor(bar),
    fmr: pairs === 0 ? 0 : expectedWrongMerges / pairs,
    comparisons: pairs,
    expectedWrongMerges,
    questions: questionsOf(declined, groups, places),
  };
}

/** So many poor faces that resemble each other found a person. */
const fewestPoor = 3;

/** Each face as a group of its own. */
function singleFaces(
  ranked: readonly LibraryFace[],
  rules: Rules,
  likelihood: LikelihoodModel | undefined,
): (rank: number) => Group {
  const common = expectedDirections(likelihood?.common, ranked[0]?.embedding.length ?? 0);
  return (rank) => {
    const { id, photo, embedding } = ranked[rank]!;
    const { weight, evidence } = faceWeight(magnitudeOf(embedding), likelihood);
    const sum = directionOf(embedding, common).map((value) => value * weight);
    const apart = rules.apartFrom(id);
    return {
      faces: [rank],
      sum,
      length: Math.sqrt(product(sum, 0, sum, 0, sum.length)),
      evidence,
      photos: new Set([photo]),
      sets: new Set([rules.setOf(id)]),
      apart: apart.size === 0 ? undefined : new Set(apart),
      version: 0,
    };
  };
}

/** One group a face, or for the faces that corrections join. */
function startGroups(alone: (rank: number) => Group, ranked: readonly LibraryFace[], rules: Rules): Group[] {
  const bySet = new Map<string, Group>();
  ranked.forEach(({ id }, rank) => {
    const set = rules.setOf(id);
    const before = bySet.get(set);
    if (before === undefined) bySet.set(set, alone(rank));
    else absorb(before, alone(rank));
  });
  return [...bySet.values()];
}

interface Naming {
  readonly alone: (rank: number) => Group;
  readonly rules: Rules;
  readonly ranked: readonly LibraryFace[];
  /** The face of each rank. */
  readonly order: readonly number[];
  /** Whether a face would not join the others. */
  readonly isDoubtful: (one: Group, rest: Group) => boolean;
}

function personOf(group: Group, { alone, rules, ranked, order, isDoubtful }: Naming): Person {
  const ranks = group.faces.toSorted((a, b) => a - b);
  const name = ranks.map((rank) => rules.nameOf(ranked[rank]!.id)).find((one) => one !== undefined);
  const sets = ranks.map((rank) => rules.setOf(ranked[rank]!.id));
  const timesOf = new Map<string, number>();
  for (const set of sets) timesOf.set(set, (timesOf.get(set) ?? 0) + 1);
  const doubtful = ranks.filter((rank, at) => {
    // A user's word is not in doubt.
    if (ranks.length === 1 || timesOf.get(sets[at]!)! > 1) return false;
    const one = alone(rank);
    return isDoubtful(one, without(group, one));
  });
  const faces = (chosen: readonly number[]): number[] => chosen.map((rank) => order[rank]!);
  return { ...(name === undefined ? {} : { name }), faces: faces(ranks), doubtful: faces(doubtful) };
}

/** @returns the group's other faces */
function without(group: Group, one: Group): Group {
  const sum = group.sum.map((value, d) => value - one.sum[d]!);
  const faces = group.faces.filter((rank) => rank !== one.faces[0]);
  const length = Math.sqrt(product(sum, 0, sum, 0, sum.length));
  return { ...group, faces, sum, length, evidence: group.evidence - one.evidence };
}

/** @param places - of people, by the number of their group */
function questionsOf(
  declined: readonly Declined[],
  groups: readonly (Group | undefined)[],
  places: ReadonlyMap<number, number>,
): PeopleQuestion[] {
  return declined.flatMap(({ a, b }) => {
    const people = [places.get(a), places.get(b)];
    if (people[0] === undefined || people[1] === undefined) return [];
    return [{ people: [people[0], people[1]] as const, similarity: likeness(groups[a]!, groups[b]!) }];
  });
}
