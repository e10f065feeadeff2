/** All of a finetuning that a step changes, as a checkpoint holds it: going on from there gives the same weights, bit for bit. */
import { fromArray, noGrad, scope, type Tensor } from '@magface/torch';
import { float32Tensor, type Tensor as StoredTensor, toFloat32 } from '../../format/tensor.ts';
import { freshStatistics } from '../graph/fresh-batch-norm.ts';
import type { TrainableGraph } from '../graph/trainable-graph.ts';
import type { CheckpointContent } from '../loop/checkpoint-file.ts';
import { storedTensor } from '../model/head.ts';
import type { WeightMean } from './weight-mean.ts';

/** The parts of a finetuner that change. */
interface Changing {
  readonly graph: TrainableGraph;
  readonly mean: WeightMean;
  /** (D, K) */
  readonly centers: Tensor;
  readonly velocities: Iterable<readonly [string, Tensor]>;
}

/** What the state of a checkpoint has beside the run's own. */
interface SavedMean {
  /** Steps in the mean of the weights. */
  readonly averaged: number;
}

export function saveState(tuner: Changing, state: Readonly<Record<string, unknown>>): CheckpointContent {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, tensor] of changing(tuner)) {
    tensors.set(name, float32Tensor(tensor.shape, tensor.toArray() as Float32Array));
  }
  return { tensors, state: { averaged: tuner.mean.count, ...state } };
}

/** Takes over what {@link saveState} gave. @param file - for errors */
export function restoreState(tuner: Changing, { tensors, state }: CheckpointContent, file: string): void {
  using _scope = scope();
  using _ = noGrad();
  for (const [name, tensor] of changing(tuner)) {
    const value = storedTensor(tensors, { name, shape: tensor.shape, file });
    tensor.copy_(fromArray(toFloat32(value), value.shape));
  }
  tuner.mean.count = (state as SavedMean).averaged;
}

function* changing({ graph, mean, centers, velocities }: Changing): IterableIterator<readonly [string, Tensor]> {
  for (const [name, tensor] of mean.weights) yield [`weights.${name}`, tensor];
  for (const [name, tensor] of mean.means) yield [`mean.${name}`, tensor];
  for (const [name, tensor] of freshStatistics(graph)) yield [`statistics.${name}`, tensor];
  for (const [name, tensor] of velocities) yield [`optimizer.${name}`, tensor];
  yield ['centers', centers];
}
