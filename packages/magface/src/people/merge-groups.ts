/** Agglomerative grouping: the two most similar groups become one until the next merge would likely be wrong. */
import { absorb, type Group, likeness, mayJoin } from './groups.ts';

/** Two groups that may be one person. */
export interface Candidate {
  readonly similarity: number;
  /** Numbers of groups, a < b. */
  readonly a: number;
  readonly b: number;
}

interface Waiting extends Candidate {
  readonly versions: number;
}

export interface MergeOptions {
  /** Least similarity for a merge while that many groups are left; falls with them. */
  readonly bar: (groups: number) => number;
  /** Less similar groups are not even candidates. */
  readonly least: number;
}

/**
 * @param groups - are changed: an absorbed group becomes undefined
 * @param neighbours - for each group the others to compare with, both ways; is used up
 * @returns pairs that were not similar enough, the most similar first
 */
export function mergeGroups(
  groups: (Group | undefined)[],
  neighbours: Set<number>[],
  { bar, least }: MergeOptions,
): Candidate[] {
  const queue: Waiting[] = [];
  const versions = (a: number, b: number): number => groups[a]!.version + groups[b]!.version;
  const consider = (one: number, other: number): void => {
    const [a, b] = one < other ? [one, other] : [other, one];
    if (!mayJoin(groups[a]!, groups[b]!)) return;
    const similarity = likeness(groups[a]!, groups[b]!);
    if (similarity >= least) push(queue, { similarity, a, b, versions: versions(a, b) });
  };
  neighbours.forEach((others, a) => {
    for (const b of others) if (a < b) consider(a, b);
  });

  let left = groups.length;
  const isCurrent = ({ a, b, versions: seen }: Waiting): boolean =>
    groups[a] !== undefined && groups[b] !== undefined && versions(a, b) === seen;
  while (queue.length > 0) {
    const best = queue[0]!;
    if (isCurrent(best) && best.similarity < bar(left)) break;
    pop(queue);
    if (!isCurrent(best)) continue;
    const { a, b } = best;
    absorb(groups[a]!, groups[b]!);
    groups[b] = undefined;
    left--;
    for (const other of neighbours[b]!) {
      neighbours[other]!.delete(b);
      if (other === a) continue;
      neighbours[other]!.add(a);
      neighbours[a]!.add(other);
    }
    neighbours[b]!.clear();
    for (const other of neighbours[a]!) consider(a, other);
  }
  return queue.filter(isCurrent).sort((x, y) => (isBefore(x, y) ? -1 : 1));
}

/** The most similar first; equals by the magnitude of their best faces. */
const isBefore = (x: Candidate, y: Candidate): boolean =>
  x.similarity !== y.similarity ? x.similarity > y.similarity : x.a !== y.a ? x.a < y.a : x.b < y.b;

/** A binary heap: each entry comes before its children at 2i + 1 and 2i + 2. */
function push(heap: Waiting[], entry: Waiting): void {
  let at = heap.push(entry) - 1;
  for (let up = (at - 1) >> 1; at > 0 && isBefore(entry, heap[up]!); up = (at - 1) >> 1) {
    heap[at] = heap[up]!;
    at = up;
  }
  heap[at] = entry;
}

/** Removes the first entry. */
function pop(heap: Waiting[]): void {
  const last = heap.pop()!;
  if (heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
    if (!isBefore(heap[child]!, last)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
}
