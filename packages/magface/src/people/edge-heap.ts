/** Pairs of groups that wait for their turn, the highest score first: a binary heap in typed arrays, for millions. */

/** A pair of groups, a < b. */
export interface Edge {
  readonly score: number;
  readonly a: number;
  readonly b: number;
  /** Sum of the versions of both when it was scored. */
  readonly versions: number;
}

export interface EdgeHeap {
  readonly size: number;
  push(edge: Edge): void;
  /** @returns the first edge, which stays; undefined if there is none */
  peek(): Edge | undefined;
  pop(): void;
}

export function createEdgeHeap(): EdgeHeap {
  let [scores, ends] = [new Float64Array(1024), new Int32Array(3 * 1024)];
  let size = 0;
  /** Equals by the magnitude of their best faces. */
  const isBefore = (x: number, y: number): boolean => {
    if (scores[x] !== scores[y]) return scores[x]! > scores[y]!;
    const [a, b] = [ends[3 * x]!, ends[3 * y]!];
    return a !== b ? a < b : ends[3 * x + 1]! < ends[3 * y + 1]!;
  };
  const swap = (x: number, y: number): void => {
    [scores[x], scores[y]] = [scores[y]!, scores[x]!];
    for (let k = 0; k < 3; k++) [ends[3 * x + k], ends[3 * y + k]] = [ends[3 * y + k]!, ends[3 * x + k]!];
  };
  return {
    get size() {
      return size;
    },
    push: ({ score, a, b, versions }) => {
      if (size === scores.length) {
        const [before, pairs] = [scores, ends];
        scores = new Float64Array(2 * size);
        ends = new Int32Array(6 * size);
        scores.set(before);
        ends.set(pairs);
      }
      let at = size++;
      scores[at] = score;
      ends.set([a, b, versions], 3 * at);
      for (let up = (at - 1) >> 1; at > 0 && isBefore(at, up); up = (at - 1) >> 1) {
        swap(at, up);
        at = up;
      }
    },
    peek: () => (size === 0 ? undefined : { score: scores[0]!, a: ends[0]!, b: ends[1]!, versions: ends[2]! }),
    pop: () => {
      if (size === 0) return;
      swap(0, --size);
      for (let at = 0, child = 1; child < size; child = 2 * at + 1) {
        if (child + 1 < size && isBefore(child + 1, child)) child++;
        if (!isBefore(child, at)) break;
        swap(at, child);
        at = child;
      }
    },
  };
}
