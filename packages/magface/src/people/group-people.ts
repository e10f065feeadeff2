/**
 * Groups the faces of a library by person, without a threshold to choose.
 *
 * Good faces found groups. The two most similar groups become one, again and again, as long as few of all the comparisons
 * between the G groups left would be so similar by chance:
 *
 *     FMR(similarity) · G (G - 1) / 2 ≤ wrongMerges · G
 *
 * A group is the sum of its embeddings, so that good faces count more. Poor faces then join the group most like them, or stay
 * apart. Two faces of one photo are two people. Neither the order of the faces nor that of the corrections matters.
 *
 * @see Meng et al., CVPR 2021, section 4.2: templates weighted by magnitude
 */
import type { DecisionThreshold } from '../decision.ts';
import { falseMatchRateAt, similarityAt } from '../false-match-rate.ts';
import { magnitudeOf } from '../quality.ts';
import { eachPair, product, unitRows } from '../row-products.ts';
import { type Corrections, type Rules, readCorrections } from './corrections.ts';
import { absorb, type Group, mayJoin } from './groups.ts';
import { joinPoorGroups } from './join-poor-groups.ts';
import { type Candidate, mergeGroups } from './merge-groups.ts';

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
  /** Expected number of wrong merges for each person found. @default 0.01 */
  readonly wrongMerges?: number | undefined;
  /** Faces of lower quality, poor ones, found no group. @default 20 */
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
  /** Those of the faces that resemble the others less than the threshold. */
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
  /** Similarity that the last merge needed: the cosine of templates, on the scale of single faces. */
  readonly threshold: number;
  /** False match rate at the threshold; beyond the measured ones extrapolated. */
  readonly fmr: number;
  /** Comparisons of groups at the end, and of poor faces with groups. */
  readonly comparisons: number;
  /** The rate times the comparisons. */
  readonly expectedWrongMerges: number;
  /** Pairs that reach ten times the false match rate of the threshold, the most similar first. */
  readonly questions: readonly PeopleQuestion[];
}

/**
 * Groups faces by person.
 *
 * @param options - `magface.model.contract` will do
 * @throws {ConfigError} if the model has no thresholds, or corrections contradict each other
 */
export function groupPeople(faces: readonly LibraryFace[], options: PeopleOptions): GroupedPeople {
  const { thresholds = [], wrongMerges = 0.01, foundingQuality = 20, corrections = {} } = options;
  const magnitudes = faces.map(({ embedding }) => magnitudeOf(embedding));
  const order = Array.from(faces.keys()).sort(
    (i, j) => magnitudes[j]! - magnitudes[i]! || (faces[i]!.id < faces[j]!.id ? -1 : 1),
  );
  const ranked = order.map((i) => faces[i]!);
  const rules = readCorrections(corrections);
  const isFounder = (rank: number): boolean => {
    const { quality, id } = ranked[rank]!;
    return quality === undefined || quality >= foundingQuality || rules.nameOf(id) !== undefined;
  };
  const all = startGroups(ranked, rules);
  const groups: (Group | undefined)[] = all.filter((group) => group.faces.some(isFounder));
  const poor = all.filter((group) => !group.faces.some(isFounder));

  const least = similarityAt(1, thresholds);
  const rateAmong = (count: number): number => (2 * wrongMerges) / Math.max(1, count - 1);
  const bar = (count: number): number => similarityAt(rateAmong(count), thresholds);
  const declined = mergeGroups(groups, neighboursOf(ranked, groups as Group[], least), { bar, least });
  const numbers = Array.from(groups.keys()).filter((k) => groups[k] !== undefined);
  const found = numbers.map((k) => groups[k]!);
  const threshold = bar(found.length);
  const fmr = falseMatchRateAt(threshold, thresholds);
  // Half the rate: a poor face is compared with G groups, a group with (G - 1) / 2 others.
  const alone = joinPoorGroups(poor, found, similarityAt(rateAmong(found.length) / 2, thresholds));

  const people = found.map((group) => personOf(group, ranked, { rules, threshold, order }));
  const byNumber = new Map(numbers.map((k, at) => [k, people[at]!]));
  const open = declined.filter(({ a, b }) => mayJoin(groups[a]!, groups[b]!)); // poor faces brought their photos
  const sorted = people.toSorted((a, b) => b.faces.length - a.faces.length); // equals stay in the order of their best faces
  const comparisons = (found.length * (found.length - 1)) / 2;
  const joins = (poor.length * found.length) / 2;
  return {
    people: sorted,
    unplaced: alone.flatMap((group) => group.faces.map((rank) => order[rank]!)),
    threshold,
    fmr,
    comparisons: comparisons + 2 * joins,
    expectedWrongMerges: fmr * (comparisons + joins),
    questions: questionsOf(open, similarityAt(10 * fmr, thresholds), (k) => sorted.indexOf(byNumber.get(k)!)),
  };
}

/** One group a face, or for the faces that corrections join. */
function startGroups(ranked: readonly LibraryFace[], rules: Rules): Group[] {
  const bySet = new Map<string, Group>();
  ranked.forEach(({ id, photo, embedding }, rank) => {
    const set = rules.setOf(id);
    const group: Group = {
      faces: [rank],
      sum: Float64Array.from(embedding),
      length: magnitudeOf(embedding),
      photos: new Set([photo]),
      sets: new Set([set]),
      apart: new Set(rules.apartFrom(id)),
      version: 0,
    };
    const before = bySet.get(set);
    if (before === undefined) bySet.set(set, group);
    else absorb(before, group);
  });
  return [...bySet.values()];
}

/** Groups to be compared: two of their faces are similar. */
function neighboursOf(ranked: readonly LibraryFace[], groups: readonly Group[], least: number): Set<number>[] {
  const owners = groups.flatMap(({ faces }, k) => faces.map(() => k));
  const rows = unitRows(groups.flatMap(({ faces }) => faces.map((rank) => ranked[rank]!.embedding)));
  const neighbours = groups.map(() => new Set<number>());
  eachPair(rows, ranked[0]?.embedding.length ?? 0, (i, j, cosine) => {
    const [a, b] = [owners[i]!, owners[j]!];
    if (cosine < least || a === b) return;
    neighbours[a]!.add(b);
    neighbours[b]!.add(a);
  });
  return neighbours;
}

interface Naming {
  readonly rules: Rules;
  readonly threshold: number;
  /** The face of each rank. */
  readonly order: readonly number[];
}

function personOf(group: Group, ranked: readonly LibraryFace[], { rules, threshold, order }: Naming): Person {
  const ranks = group.faces.toSorted((a, b) => a - b);
  const name = ranks.map((rank) => rules.nameOf(ranked[rank]!.id)).find((one) => one !== undefined);
  const sets = ranks.map((rank) => rules.setOf(ranked[rank]!.id));
  const isJoined = (at: number): boolean => sets.indexOf(sets[at]!) !== sets.lastIndexOf(sets[at]!);
  const doubtful = ranks.filter(
    (rank, at) =>
      // A user's word is not in doubt.
      ranks.length > 1 && likenessToRest(group, ranked[rank]!.embedding) < threshold && !isJoined(at),
  );
  const faces = (chosen: readonly number[]): number[] => chosen.map((rank) => order[rank]!);
  return { ...(name === undefined ? {} : { name }), faces: faces(ranks), doubtful: faces(doubtful) };
}

/** The cosine of a face and the sum of its group's other faces. */
function likenessToRest({ sum }: Group, embedding: Float32Array): number {
  const rest = sum.map((value, d) => value - embedding[d]!);
  const lengths = Math.sqrt(product(rest, 0, rest, 0, rest.length)) * magnitudeOf(embedding);
  return lengths === 0 ? 0 : product(rest, 0, embedding, 0, rest.length) / lengths;
}

function questionsOf(
  declined: readonly Candidate[],
  least: number,
  personOfGroup: (group: number) => number,
): PeopleQuestion[] {
  return declined
    .filter(({ similarity }) => similarity >= least)
    .map(({ similarity, a, b }) => ({ people: [personOfGroup(a), personOfGroup(b)], similarity }));
}
