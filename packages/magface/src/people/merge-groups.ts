/**
 * Agglomerative grouping: the two groups of the highest score become one, as long as few of all comparisons would reach that score
 * by chance:
 *
 *     Σ over pairs of groups of FMR(similarity that the score needs) ≤ wrongMerges · (merges so far + 1)
 *
 * It works in rounds. Each begins with a scan of all pairs of groups, from which every group keeps its best neighbours; groups
 * that merge take over each other's. The last round is one without a merge. So memory grows with the number of groups alone, and
 * most of the time is in the scans, which the caller carries out.
 */
import type { ImpostorLaw } from '../false-match-rate.ts';
import { type Comparisons, createComparisons } from './comparisons.ts';
import { createEdgeHeap, type EdgeHeap } from './edge-heap.ts';
import { leastSimilarityFor, reliabilityOf, scoreOf } from './evidence.ts';
import { absorb, type Group, mayJoin } from './groups.ts';

/** All pairs of rows that are similar enough are wanted. */
export interface PairScan {
  /** (N, D) of length 1, or 0. */
  readonly rows: Float32Array;
  readonly dimension: number;
  /** Pairs of a higher cosine are visited; some that are a little less similar may be. */
  readonly least: number;
  /** Receives each pair i < j at most once, in any order. */
  readonly visit: (i: number, j: number) => void;
}

/** Two groups that were not similar enough. */
export interface Declined {
  readonly score: number;
  /** Numbers of groups, a < b. */
  readonly a: number;
  readonly b: number;
}

/** How the merging ended. */
export interface Merged {
  readonly comparisons: Comparisons;
  /** The score that a further merge would need. */
  readonly bar: number;
  /** The number of merges. */
  readonly merges: number;
  /** Pairs whose score ten times as many pairs of different people are expected to reach, the highest first. */
  readonly declined: readonly Declined[];
}

/** Neighbours that a group keeps from a scan. */
const mostNeighbours = 100;
/** Pairs of different people that a scan may find, for each group and in all. */
const strangersWanted = { each: 25, most: 4e6 } as const;
/** Expected wrong answers among the questions, per expected wrong merge. */
const questionRate = 10;
/** Rounding of a scan in float32. */
const slack = 1e-4;

/**
 * @param groups - are changed: an absorbed group becomes undefined
 * @param wrongMerges - expected for each merge
 */
export function* mergeGroups(
  groups: (Group | undefined)[],
  law: ImpostorLaw,
  wrongMerges: number,
): Generator<PairScan, Merged, void> {
  const comparisons = createComparisons(law);
  for (const group of groups) comparisons.add(reliabilityOf(group!));
  let merges = 0;
  for (;;) {
    const wanted = Math.min(strangersWanted.each * comparisons.count, strangersWanted.most);
    const level = comparisons.scoreAt(Math.max(wanted, questionRate * wrongMerges * groups.length));
    const neighbours = yield* bestNeighbours(groups, law, level);
    const heap = heapOf(groups, neighbours);
    const made = mergeBest(groups, { comparisons, law, neighbours, heap, level, wrongMerges, merges });
    merges += made;
    if (made > 0) continue;
    const bar = comparisons.scoreAt(wrongMerges * (merges + 1));
    const asked = comparisons.scoreAt(questionRate * wrongMerges * (merges + 1));
    return { comparisons, bar, merges, declined: remaining(heap, asked) };
  }
}

/** The best neighbours of each group, both ways. */
interface Neighbours {
  /** Per group, numbers of groups; some may have been absorbed since. */
  readonly lists: number[][];
  readonly scores: number[][];
}

function* bestNeighbours(
  groups: readonly (Group | undefined)[],
  law: ImpostorLaw,
  level: number,
): Generator<PairScan, Neighbours, void> {
  const numbers = Array.from(groups.keys()).filter((k) => groups[k] !== undefined);
  const dimension = numbers.length === 0 ? 0 : groups[numbers[0]!]!.sum.length;
  const rows = new Float32Array(numbers.length * dimension);
  numbers.forEach((k, i) => {
    const { sum, length } = groups[k]!;
    if (length > 0) for (let d = 0; d < dimension; d++) rows[i * dimension + d] = sum[d]! / length;
  });
  const found: Neighbours = { lists: groups.map(() => []), scores: groups.map(() => []) };
  const visit = (i: number, j: number): void => {
    const [a, b] = [numbers[i]!, numbers[j]!];
    const score = scoreOf(groups[a]!, groups[b]!, law);
    if (score < level || !mayJoin(groups[a]!, groups[b]!)) return;
    keep(found, a, b, score);
    keep(found, b, a, score);
  };
  const least = Math.max(law.least, leastSimilarityFor(level, law.dimension)) - slack;
  yield { rows, dimension, least, visit };
  for (const [a, list] of found.lists.entries()) if (list.length > mostNeighbours) cut(found, a);
  return found;
}

function keep(found: Neighbours, a: number, b: number, score: number): void {
  found.lists[a]!.push(b);
  found.scores[a]!.push(score);
  if (found.lists[a]!.length >= 2 * mostNeighbours) cut(found, a);
}

/** Leaves the best neighbours of a group. */
function cut({ lists, scores }: Neighbours, a: number): void {
  const [list, score] = [lists[a]!, scores[a]!];
  const order = Array.from(list.keys())
    .sort((x, y) => score[y]! - score[x]! || list[x]! - list[y]!)
    .slice(0, mostNeighbours);
  lists[a] = order.map((x) => list[x]!);
  scores[a] = order.map((x) => score[x]!);
}

/** A pair may be in one list alone, if the other was cut: it then enters the other too. */
function heapOf(groups: readonly (Group | undefined)[], { lists, scores }: Neighbours): EdgeHeap {
  const heap = createEdgeHeap();
  const lengths = lists.map((list) => list.length);
  lists.forEach((list, a) => {
    for (let k = 0; k < lengths[a]!; k++) {
      const b = list[k]!;
      const score = scores[a]![k]!;
      const isMutual = lengths[b]! < mostNeighbours || lists[b]!.lastIndexOf(a, lengths[b]! - 1) >= 0;
      if (isMutual && a > b) continue;
      const [low, high] = a < b ? [a, b] : [b, a];
      heap.push({ score, a: low, b: high, versions: groups[a]!.version + groups[b]!.version });
      if (!isMutual) lists[b]!.push(a);
    }
  });
  return heap;
}

interface Round {
  readonly comparisons: Comparisons;
  readonly law: ImpostorLaw;
  readonly neighbours: Neighbours;
  readonly heap: EdgeHeap;
  /** Lower scores are of no interest. */
  readonly level: number;
  readonly wrongMerges: number;
  /** Of earlier rounds. */
  readonly merges: number;
}

/** @returns the number of merges */
function mergeBest(groups: (Group | undefined)[], round: Round): number {
  const { comparisons, law, neighbours, heap, level, wrongMerges } = round;
  const rootOf = absorbers(groups.length);
  const seen = new Int32Array(groups.length).fill(-1);
  const isCurrent = ({ a, b, versions }: { a: number; b: number; versions: number }): boolean =>
    groups[a] !== undefined && groups[b] !== undefined && groups[a]!.version + groups[b]!.version === versions;
  let made = 0;
  let allowed = Number.POSITIVE_INFINITY;
  for (let best = heap.peek(); best !== undefined; best = heap.peek()) {
    const { score, a, b } = best;
    if (isCurrent(best) && score < allowed) {
      // Merges leave fewer comparisons, so what was allowed once stays so.
      if (comparisons.expectedAt(score) > wrongMerges * (round.merges + made + 1)) break;
      allowed = score;
    }
    heap.pop();
    if (!isCurrent(best)) continue;
    comparisons.remove(reliabilityOf(groups[a]!));
    comparisons.remove(reliabilityOf(groups[b]!));
    absorb(groups[a]!, groups[b]!);
    comparisons.add(reliabilityOf(groups[a]!));
    groups[b] = undefined;
    rootOf.join(a, b);
    made++;
    const both: number[] = [];
    seen[a] = made;
    for (const list of [neighbours.lists[a]!, neighbours.lists[b]!])
      for (const one of list) {
        const other = rootOf.find(one);
        if (seen[other] === made) continue;
        seen[other] = made;
        const [group, neighbour] = [groups[a]!, groups[other]!];
        if (!mayJoin(group, neighbour)) continue;
        const next = scoreOf(group, neighbour, law);
        if (next < level) continue; // the next round's scan finds it, should it rise again
        both.push(other);
        const versions = group.version + neighbour.version;
        heap.push({ score: next, a: Math.min(a, other), b: Math.max(a, other), versions });
      }
    neighbours.lists[a] = both;
    neighbours.lists[b] = [];
  }
  return made;
}

/** Which group absorbed another, in the end. */
function absorbers(count: number): { find(k: number): number; join(into: number, gone: number): void } {
  const parents = Int32Array.from({ length: count }, (_, k) => k);
  const find = (k: number): number => {
    let at = k;
    while (parents[at] !== at) at = parents[at] = parents[parents[at]!]!;
    return at;
  };
  return {
    find,
    join: (into, gone) => {
      parents[gone] = into;
    },
  };
}

function remaining(heap: EdgeHeap, least: number): Declined[] {
  const found: Declined[] = [];
  for (let best = heap.peek(); best !== undefined && best.score >= least; best = heap.peek()) {
    const { score, a, b } = best;
    found.push({ score, a, b });
    heap.pop();
  }
  return found;
}
