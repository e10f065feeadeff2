/**
 * Provides every face in each view as the starting point of training: the input itself or, if the front of the network is
 * frozen, the front's output, computed once and kept in half precision.
 */
import { cat, fromArray, noGrad, scope, type Tensor, zeros } from '@magface/torch';
import type { Network } from '../../graph/torch/network.ts';
import type { InputContract } from '../../models/contract.ts';
import { readAhead } from '../data/read-ahead.ts';
import type { Dataset } from '../data/samples.ts';
import { inPrecision, type Precision } from '../loop/device.ts';
import type { Ranks } from '../parallel/ranks.ts';
import { type Share, shareOf } from '../parallel/shares.ts';
import { type AugmentationOptions, augmentationOf, type DamageSum, damageSum } from './augmentations.ts';
import type { FrontCache } from './front-cache.ts';
import { inputTensor, ViewReader } from './view-reader.ts';

/** A face of the dataset in one of its views. */
export interface ViewPlace {
  readonly sample: number;
  readonly view: number;
}

export interface ViewSource extends AsyncDisposable {
  /** Views of each face. */
  readonly views: number;
  /** @returns the amount of damage to the face */
  damage(place: ViewPlace): DamageSum;
  /** @returns a function that creates the tensor (N, …) float32 in its caller's scope */
  load(places: readonly ViewPlace[]): Promise<() => Tensor>;
}

export interface ViewSourceOptions extends AugmentationOptions {
  readonly graph: Network;
  readonly dataset: Dataset;
  readonly input: InputContract;
  readonly views: number;
  readonly precision: Precision;
  /** Threads that read faces. */
  readonly workers: number;
  /** Each rank runs the frozen front on its share of the faces. */
  readonly ranks: Ranks;
}

/** Reads and renders the faces anew each time. */
export function readViews({
  graph,
  dataset,
  input,
  views,
  precision,
  workers,
  ...options
}: ViewSourceOptions): ViewSource {
  const reader = new ViewReader(dataset, workers);
  return {
    views,
    damage: ({ sample, view }) => damageSum(augmentationOf(sample, view, options)),
    load: async (places) => {
      const faces = await reader.read(
        places.map(({ sample, view }) => ({ sample, augmentation: augmentationOf(sample, view, options) })),
      );
      return () => laidOut(inputTensor(faces, input).to({ device: graph.device }), precision);
    },
    [Symbol.asyncDispose]: () => reader.close(),
  };
}

/** Loads a share of the faces in one view, batch by batch; `start` counts within the share. */
export function wholeView(
  source: ViewSource,
  { view, share, batchSize }: { readonly view: number; readonly share: Share; readonly batchSize: number },
): AsyncGenerator<{ readonly start: number; readonly size: number; readonly load: () => Tensor }> {
  const { first, count } = share;
  const starts = Array.from({ length: Math.ceil(count / batchSize) }, (_, i) => i * batchSize);
  return readAhead(starts, async (start) => {
    const size = Math.min(batchSize, count - start);
    const places = Array.from({ length: size }, (_, i) => ({ sample: first + start + i, view }));
    return { start, size, load: await source.load(places) };
  });
}

/** Small batches fit in the processor's caches. */
const frontBatch = 16;

export interface KeepFrontOptions {
  /** Name of the value at which the frozen front ends. */
  readonly front: string;
  /** Where to cache views for later runs. @default nowhere */
  readonly cache?: FrontCache | undefined;
  /** @param done - views of faces done, out of `total` */
  readonly onProgress: (done: number, total: number) => void;
}

/** Runs the front once for every view and keeps its outputs. */
export async function keepFront(options: ViewSourceOptions, keep: KeepFrontOptions): Promise<ViewSource> {
  const { graph, dataset, views, precision } = options;
  await using source = readViews(options);
  const count = dataset.samples.length;
  const kept: Tensor[] = [];
  for (let view = 0; view < views; view++) {
    const onDone = (done: number): void => keep.onProgress(view * count + done, views * count);
    kept.push(await keepView(view, { source, options, keep, onDone }));
  }
  return {
    views,
    damage: source.damage,
    load: async (places) => () =>
      laidOut(gathered(kept, places).to({ dtype: 'float32', device: graph.device }), precision),
    [Symbol.asyncDispose]: async () => {
      for (const tensor of kept) tensor.dispose();
    },
  };
}

interface ViewWork {
  readonly source: ViewSource;
  readonly options: ViewSourceOptions;
  readonly keep: KeepFrontOptions;
  readonly onDone: (samples: number) => void;
}

/** @returns (N, …) float16 */
async function keepView(view: number, { source, options, keep, onDone }: ViewWork): Promise<Tensor> {
  const { graph, dataset, precision, ranks } = options;
  const { cache, front } = keep;
  const count = dataset.samples.length;
  const share = shareOf(count, ranks);
  let kept: Tensor | undefined;
  let isCached = false;
  for await (const { start, size, load } of wholeView(source, { view, share, batchSize: frontBatch })) {
    const compute = (): Tensor =>
      inPrecision({ precision, device: graph.device }, () => graph.forward(load(), { to: front }));
    const isFirst = kept === undefined;
    kept = store(kept, { start: share.first + start, count }, compute);
    isCached = isFirst && cache !== undefined && !ranks.any(!cache.read(view, kept));
    if (isCached) break;
    onDone(start + size);
  }
  if (!isCached) fillFromRanks(kept!, ranks);
  if (!isCached && ranks.isFirst) await writeTo(cache, view, kept!);
  onDone(count);
  return kept!;
}

/** @param kept - (N, …): holds this rank's rows */
function fillFromRanks(kept: Tensor, ranks: Ranks): void {
  if (ranks.size === 1) return;
  using _scope = scope();
  using _ = noGrad();
  const { first, count, total } = shareOf(kept.size(0), ranks);
  kept.copy_(ranks.gather(kept.narrow(0, first, count), { total }));
}

/** Stores the next rows. Allocates the tensor at the first, which gives the shape. */
function store(
  kept: Tensor | undefined,
  { start, count }: { readonly start: number; readonly count: number },
  compute: () => Tensor,
): Tensor {
  using all = scope();
  using _ = noGrad();
  const values = compute();
  const into = kept ?? all.keep(zeros([count, ...values.shape.slice(1)], { dtype: 'float16' }));
  into.narrow(0, start, values.size(0)).copy_(values);
  return into;
}

function writeTo(cache: FrontCache | undefined, view: number, kept: Tensor): Promise<void> | undefined {
  using _scope = scope();
  return cache?.write(view, kept);
}

/** @returns (N, …) float16: the rows of the places, in their order */
function gathered(kept: readonly Tensor[], places: readonly ViewPlace[]): Tensor {
  const order: number[] = [];
  const parts = kept.flatMap((tensor, view) => {
    const own = [...places.keys()].filter((i) => places[i]!.view === view);
    if (own.length === 0) return [];
    order.push(...own);
    return [tensor.indexSelect(0, fromArray(BigInt64Array.from(own, (i) => BigInt(places[i]!.sample))))];
  });
  const back = new BigInt64Array(places.length);
  for (const [at, place] of order.entries()) back[place] = BigInt(at);
  return cat(parts, { dim: 0 }).indexSelect(0, fromArray(back));
}

/** Convolutions in smaller types are faster with channels last, those in float32 with channels first. */
export function laidOut(x: Tensor, precision: Precision): Tensor {
  return x.shape.length === 4 && precision !== 'fp32' ? x.contiguous({ memoryFormat: 'channelsLast' }) : x;
}
