/**
 * Chinese whispers over the graph of similar faces: every face begins alone, then in random order each takes the cluster
 * that most of its neighbours' votes name, until none changes. A vote is the cosine times the neighbour's weight.
 *
 * @see Biemann, "Chinese whispers: an efficient graph clustering algorithm", TextGraphs 2006
 */
import { randomStream } from '../../random.ts';
import type { Neighbours } from './neighbours.ts';

/** Options of Chinese whispers. */
export interface WhisperOptions {
  /** (N) of votes. */
  readonly weights: Float64Array;
  /** @default 1 */
  readonly seed?: number;
  /** Most rounds over all faces. @default 100 */
  readonly rounds?: number;
}

/** @returns (N) the cluster of each face */
export function whisperClusters(graph: Neighbours, { weights, seed = 1, rounds = 100 }: WhisperOptions): Uint32Array {
  const { starts, faces, cosines } = graph;
  const random = randomStream(seed);
  const labels = Uint32Array.from(weights.keys());
  const order = labels.slice();
  for (let round = 0, changed = true; changed && round < rounds; round++) {
    changed = false;
    shuffle(order, random);
    for (const face of order) {
      const votes = new Map<number, number>();
      for (let k = starts[face]!; k < starts[face + 1]!; k++) {
        const label = labels[faces[k]!]!;
        votes.set(label, (votes.get(label) ?? 0) + cosines[k]! * weights[faces[k]!]!);
      }
      // The present cluster wins ties, so that the rounds come to an end.
      let [winner, most] = [labels[face]!, votes.get(labels[face]!) ?? 0];
      for (const [label, vote] of votes) if (vote > most) [winner, most] = [label, vote];
      if (winner === labels[face]) continue;
      labels[face] = winner;
      changed = true;
    }
  }
  return labels;
}

function shuffle(order: Uint32Array, random: () => number): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
}
