/** The starting model's features of every face in every view, computed before training. */
import { noGrad, scope, type Tensor } from '@magface/torch';
import { magnitudesOf } from '../../eval/feature-set.ts';
import type { Network } from '../../graph/torch/network.ts';
import { inPrecision, type Precision } from '../loop/device.ts';
import type { Ranks } from '../parallel/ranks.ts';
import { shareOf } from '../parallel/shares.ts';
import { asColumns, classSums, normalized, ownCosines, type Rows } from './directions.ts';
import type { FrontCache } from './front-cache.ts';
import { type ViewSource, wholeView } from './view-source.ts';

export interface StartKnowledge {
  /** (N, D): directions of the undamaged faces. */
  readonly directions: Rows;
  /** (D, K): each person's mean direction, normalised. */
  readonly centers: Float32Array;
  /** (V, N): how recognisable each face is in each view, see {@link ownCosines}. */
  readonly own: Float32Array;
  /** (V, N): lengths of the features. */
  readonly magnitudes: Float32Array;
}

export interface StartOptions {
  readonly graph: Network;
  /** Name of the value that the source's tensors hold. */
  readonly front: string | undefined;
  readonly precision: Precision;
  /** (N) */
  readonly labels: Int32Array;
  readonly classes: number;
  /** D */
  readonly dimension: number;
  /** Each rank computes its share of the faces. */
  readonly ranks: Ranks;
  /** Where to cache features for later runs. @default nowhere */
  readonly cache?: FrontCache | undefined;
  /** @param done - views of faces done, out of `total` */
  readonly onProgress: (done: number, total: number) => void;
}

export async function startKnowledge(source: ViewSource, options: StartOptions): Promise<StartKnowledge> {
  const { labels, classes, onProgress } = options;
  const count = labels.length;
  const own = new Float32Array(source.views * count);
  const magnitudes = new Float32Array(source.views * count);
  const clean = await keptView(source, 0, options);
  const directions = normalized(clean);
  const sums = classSums(directions, labels, classes);
  for (let view = 0; view < source.views; view++) {
    const rows = view === 0 ? clean : await keptView(source, view, options);
    magnitudes.set(magnitudesOf(rows), view * count);
    own.set(ownCosines(normalized(rows), directions, { labels, sums }), view * count);
    onProgress((view + 1) * count, own.length);
  }
  return { directions, centers: asColumns(sums), own, magnitudes };
}

async function keptView(source: ViewSource, view: number, options: StartOptions): Promise<Rows> {
  const { cache, labels, dimension, ranks } = options;
  const kept = cache?.readFeatures(view, labels.length * dimension);
  const isMissing = ranks.any(kept === undefined); // if any rank misses them, all compute them together
  if (kept !== undefined && !isMissing) return { values: kept, dimension };
  const values = await embedView(source, view, options);
  if (ranks.isFirst) await cache?.writeFeatures(view, values);
  return { values, dimension };
}

const batchSize = 32;

/** @returns (N, D): features of every face in one view */
async function embedView(source: ViewSource, view: number, options: StartOptions): Promise<Float32Array> {
  const { graph, front, precision, labels, dimension, ranks } = options;
  const share = shareOf(labels.length, ranks);
  const values = new Float32Array(share.count * dimension);
  const part = front === undefined ? {} : { from: front };
  for await (const { start, load } of wholeView(source, { view, share, batchSize })) {
    values.set(
      valuesOf(() => inPrecision({ precision, device: graph.device }, () => graph.forward(load(), part))),
      start * dimension,
    );
  }
  return ranks.gatherValues(values, dimension, share);
}

/** Returns the values of a forward pass and frees its tensors. */
function valuesOf(compute: () => Tensor): Float32Array {
  using _scope = scope();
  using _ = noGrad();
  return compute().toArray() as Float32Array;
}
