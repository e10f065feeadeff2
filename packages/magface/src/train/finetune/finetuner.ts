/** A graph in training: the same steps as a network of layers, with the terms of finetuning, rates by layer and a mean of weights. */
import { fromArray, noGrad, scope, type Tensor } from '@magface/torch';
import { freshStatistics } from '../graph/fresh-batch-norm.ts';
import { rateGroups } from '../graph/layer-rates.ts';
import type { TrainableGraph } from '../graph/trainable-graph.ts';
import type { CheckpointContent } from '../loop/checkpoint-file.ts';
import { inPrecision, type Precision } from '../loop/device.ts';
import { Learner, type LearningRules, type StepResult } from '../loop/learner.ts';
import { WholeHead } from '../model/head.ts';
import type { MagFaceConstants } from '../model/magface-loss.ts';
import { type FinetuneTargets, type FinetuneWeights, finetuneTerms } from './finetune-loss.ts';
import { WeightMean } from './weight-mean.ts';

export interface FinetunerOptions extends LearningRules {
  /** Names of the weights that are trained. */
  readonly trained: readonly string[];
  /** What each layer between a weight and the embedding multiplies its learning rate by. @default 1 */
  readonly layerDecay?: number;
  /** Name of the value that batches are; undefined for the graph's input. */
  readonly front: string | undefined;
  /** (D, K): where the class centres start. */
  readonly centers: Float32Array;
  /** K */
  readonly classes: number;
  readonly constants: MagFaceConstants;
  readonly weights: FinetuneWeights;
  readonly precision: Precision;
}

/** Faces in their views, and what they shall come to. */
export interface FinetuneBatch {
  /** Which samples of the dataset these are. */
  readonly indices: Uint32Array;
  /** Makes the tensor (N, …) float32 in the scope of its caller. */
  readonly load: () => Tensor;
  readonly targets: FinetuneTargets;
}

export class Finetuner extends Learner<FinetuneTargets> {
  readonly graph: TrainableGraph;
  readonly options: FinetunerOptions;
  /** Of the trained weights. */
  readonly mean: WeightMean;

  constructor(graph: TrainableGraph, options: FinetunerOptions) {
    const { trained, layerDecay = 1, constants, weights, ranks } = options;
    for (const [name, weight] of graph.weights) weight.requiresGrad = trained.includes(name);
    const named = (names: readonly string[]): Map<string, Tensor> =>
      new Map(names.map((name) => [name, graph.weights.get(name)!]));
    const loss = finetuneTerms(constants, weights);
    const parts = {
      head: new WholeHead(leafOf(options), { name: 'centers', decays: false, loss, ranks }),
      groups: rateGroups(graph, trained, layerDecay).map(({ rate, names }) => ({ rate, weights: named(names) })),
      statistics: [...freshStatistics(graph).values()],
    };
    super(parts, options);
    this.graph = graph;
    this.options = options;
    this.mean = new WeightMean(named(trained));
  }

  /** Learns from one batch. A loss or gradient that is not finite leaves every weight and statistic as it was. */
  step({ load, targets }: Omit<FinetuneBatch, 'indices'>, lr: number): StepResult {
    const count = targets.labels.length;
    const share = { first: 0, count, total: count };
    return this.learnFrom({ forward: () => this.#forward(load()), targets, share }, lr);
  }

  /** Takes the weights into their mean. */
  average(): void {
    this.mean.add();
  }

  override save(state: Readonly<Record<string, unknown>>): CheckpointContent {
    return super.save({ averaged: this.mean.count, ...state });
  }

  override restore(content: CheckpointContent, file: string): void {
    super.restore(content, file);
    this.mean.count = (content.state as { readonly averaged: number }).averaged;
  }

  /** @param value - (N, …), of the front or of the input @returns (N, D) float32 */
  #forward(value: Tensor): Tensor {
    const { front } = this.options;
    const part = { training: true, ...(front !== undefined && { from: front }) };
    return inPrecision(this.options, () => this.graph.forward(value, part));
  }

  protected *named(): IterableIterator<readonly [string, Tensor]> {
    for (const [name, tensor] of this.mean.weights) yield [`weights.${name}`, tensor];
    for (const [name, tensor] of this.mean.means) yield [`mean.${name}`, tensor];
    for (const [name, tensor] of freshStatistics(this.graph)) yield [`statistics.${name}`, tensor];
    for (const [name, tensor] of this.velocities) yield [`optimizer.${name}`, tensor];
  }
}

function leafOf({ centers, classes }: FinetunerOptions): Tensor {
  using all = scope();
  using _ = noGrad();
  const leaf = all.keep(fromArray(centers, [centers.length / classes, classes]).clone());
  leaf.requiresGrad = true;
  return leaf;
}
