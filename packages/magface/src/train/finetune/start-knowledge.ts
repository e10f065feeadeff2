/** What the starting model makes of every face in every view, before anything is trained. */
import { noGrad, scope, type Tensor } from '@magface/torch';
import { magnitudesOf } from '../../eval/feature-set.ts';
import type { TrainableGraph } from '../graph/trainable-graph.ts';
import { asColumns, classSums, normalized, ownCosines, type Rows } from './directions.ts';
import { inPrecision, type ViewSource } from './view-source.ts';

export interface StartKnowledge {
  /** (N, D): directions of the faces as they are. */
  readonly directions: Rows;
  /** (D, K): each person's mean direction, of length one. */
  readonly centers: Float32Array;
  /** (V, N): how recognisable each face is in each view, see {@link ownCosines}. */
  readonly own: Float32Array;
  /** (V, N): lengths of the features. */
  readonly magnitudes: Float32Array;
}

export interface StartOptions {
  readonly graph: TrainableGraph;
  /** Value that the source's tensors are. */
  readonly front: string | undefined;
  readonly precision: 'fp32' | 'bf16';
  /** (N) */
  readonly labels: Int32Array;
  readonly classes: number;
  /** @param done - faces in their views, of all */
  readonly onProgress: (done: number, total: number) => void;
}

export async function startKnowledge(source: ViewSource, options: StartOptions): Promise<StartKnowledge> {
  const { labels, classes, onProgress } = options;
  const count = labels.length;
  const own = new Float32Array(source.views * count);
  const magnitudes = new Float32Array(source.views * count);
  const clean = await embedView(source, 0, options);
  const directions = normalized(clean);
  const sums = classSums(directions, labels, classes);
  for (let view = 0; view < source.views; view++) {
    const rows = view === 0 ? clean : await embedView(source, view, options);
    magnitudes.set(magnitudesOf(rows), view * count);
    own.set(ownCosines(normalized(rows), directions, { labels, sums }), view * count);
    onProgress((view + 1) * count, own.length);
  }
  return { directions, centers: asColumns(sums), own, magnitudes };
}

const batchSize = 32;

/** @returns (N, D): features of every face in one view */
async function embedView(
  source: ViewSource,
  view: number,
  { graph, front, precision, labels }: StartOptions,
): Promise<Rows> {
  let values = new Float32Array(0);
  let dimension = 0;
  for (let start = 0; start < labels.length; start += batchSize) {
    const places = Array.from({ length: Math.min(batchSize, labels.length - start) }, (_, i) => ({
      sample: start + i,
      view,
    }));
    const load = await source.load(places);
    const features = without(() =>
      inPrecision(precision, () => graph.forward(load(), front === undefined ? {} : { from: front })),
    );
    dimension = features.length / places.length;
    if (start === 0) values = new Float32Array(labels.length * dimension);
    values.set(features, start * dimension);
  }
  return { values, dimension };
}

/** The values that a forward pass gives, its tensors freed. */
function without(compute: () => Tensor): Float32Array {
  using _scope = scope();
  using _ = noGrad();
  return compute().toArray() as Float32Array;
}
