/**
 * Every face in each of its views, as what training begins with: the input itself, or, where the front of the network is
 * frozen, what the front makes of it, computed once and kept in half precision.
 */
import { autocast, fromArray, noGrad, scope, type Tensor, zeros } from '@magface/torch';
import type { InputContract } from '../../models/contract.ts';
import type { Dataset } from '../dataset.ts';
import type { TrainableGraph } from '../graph/trainable-graph.ts';
import { inputTensor, ViewReader } from './view-reader.ts';
import { type ViewOptions, viewOf } from './views.ts';

/** A face of the dataset in one of its views. */
export interface ViewPlace {
  readonly sample: number;
  readonly view: number;
}

export interface ViewSource {
  /** Views of each face. */
  readonly views: number;
  /** @returns makes the tensor (N, …) float32 in the scope of its caller */
  load(places: readonly ViewPlace[]): Promise<() => Tensor>;
  close(): void;
}

export interface ViewSourceOptions extends ViewOptions {
  readonly graph: TrainableGraph;
  readonly dataset: Dataset;
  readonly input: InputContract;
  readonly views: number;
  readonly precision: 'fp32' | 'bf16';
}

/** Faces read and shown anew each time. */
export function readViews({ dataset, input, views, precision, ...options }: ViewSourceOptions): ViewSource {
  const reader = new ViewReader(dataset);
  return {
    views,
    load: async (places) => {
      const faces = await reader.read(
        places.map(({ sample, view }) => ({ sample, view: viewOf(sample, view, options) })),
      );
      return () => laidOut(inputTensor(faces, input), precision);
    },
    close: () => reader.close(),
  };
}

/** Small batches stay in the processor's caches: twice the rate of large ones. */
const frontBatch = 16;

/**
 * @param front - name of the value at which the frozen front ends
 * @param onProgress - views done of all
 */
export async function keepFront(
  options: ViewSourceOptions,
  front: string,
  onProgress: (done: number, total: number) => void,
): Promise<ViewSource> {
  const { graph, dataset, views, precision } = options;
  const source = readViews(options);
  const count = dataset.samples.length;
  const total = count * views;
  let kept: Tensor | undefined;
  for (let start = 0; start < total; start += frontBatch) {
    const places = Array.from({ length: Math.min(frontBatch, total - start) }, (_, i) => placeOf(start + i, count));
    const faces = await source.load(places);
    kept = store(kept, { start, total }, () => inPrecision(precision, () => graph.forward(faces(), { to: front })));
    onProgress(start + places.length, total);
  }
  source.close();
  return {
    views,
    load: async (places) => () => {
      const rows = BigInt64Array.from(places, ({ sample, view }) => BigInt(view * count + sample));
      return laidOut(kept!.indexSelect(0, fromArray(rows)).to({ dtype: 'float32' }), precision);
    },
    close: () => kept!.dispose(),
  };
}

const placeOf = (row: number, samples: number): ViewPlace => ({
  sample: row % samples,
  view: Math.floor(row / samples),
});

/** Fills the next rows, in a tensor made when the first shows its shape. */
function store(
  kept: Tensor | undefined,
  { start, total }: { readonly start: number; readonly total: number },
  compute: () => Tensor,
): Tensor {
  using all = scope();
  using _ = noGrad();
  const values = compute();
  const shape = values.shape.slice(1);
  const into = kept ?? all.keep(zeros([total, ...shape], { dtype: 'float16' }));
  into.narrow(0, start, values.size(0)).copy_(values);
  return into;
}

/** Convolutions in bfloat16 want the channels last in memory, those in float32 the rows. */
function laidOut(x: Tensor, precision: 'fp32' | 'bf16'): Tensor {
  return x.shape.length === 4 && precision === 'bf16' ? x.contiguous({ memoryFormat: 'channelsLast' }) : x;
}

/** Runs the body in bfloat16 where that is asked for; what it returns is float32. */
export function inPrecision(precision: 'fp32' | 'bf16', body: () => Tensor): Tensor {
  if (precision === 'fp32') return body();
  using _ = autocast('bfloat16');
  return body().to({ dtype: 'float32' });
}
