/** Trains a graph: the steps of a layered network, plus the finetuning terms, per-layer learning rates and a mean of weights. */
import { type Device, fromArray, noGrad, scope, type Tensor } from '@magface/torch';
import type { FileNetwork } from '../../graph/torch/open-graph.ts';
import type { InputContract } from '../../models/contract.ts';
import type { CheckpointContent } from '../loop/checkpoint-file.ts';
import { inPrecision, type Precision } from '../loop/device.ts';
import { Learner, type LearningRules, type StepResult } from '../loop/learner.ts';
import { WeightMean } from '../loop/weight-mean.ts';
import { WholeHead } from '../model/head.ts';
import type { MagFaceConstants } from '../model/magface-loss.ts';
import { type FinetuneTargets, type FinetuneWeights, finetuneTerms } from './finetune-loss.ts';
import { rateGroups } from './layer-rates.ts';
import { inputTensor } from './view-reader.ts';
import { laidOut } from './view-source.ts';

export interface FinetunerOptions extends LearningRules {
  /** Names of the trained weights. */
  readonly trained: readonly string[];
  /** Factor on a weight's learning rate for each layer between it and the embedding. @default 1 */
  readonly layerDecay?: number;
  /** Share of the initial weights in the result. @default 0 */
  readonly startShare?: number;
  /** Name of the value that batches provide; undefined for the graph's input. */
  readonly front: string | undefined;
  /** (D, K): initial class centres. */
  readonly centers: Float32Array;
  /** K */
  readonly classes: number;
  readonly constants: MagFaceConstants;
  readonly weights: FinetuneWeights;
  readonly precision: Precision;
  /** The model's input format for faces. */
  readonly input: InputContract;
}

/** Faces in their views, and their targets. */
export interface FinetuneBatch {
  /** Indices of the samples in the dataset. */
  readonly indices: Uint32Array;
  /** Creates the tensor (n, …) float32 in the caller's scope. */
  readonly load: () => Tensor;
  /** Targets of the whole batch; the other fields cover this process's share. */
  readonly targets: FinetuneTargets;
}

export class Finetuner extends Learner<FinetuneTargets> {
  readonly graph: FileNetwork;
  readonly options: FinetunerOptions;
  /** Mean of the trained weights. */
  readonly mean: WeightMean;

  constructor(graph: FileNetwork, options: FinetunerOptions) {
    const { trained, layerDecay = 1, constants, weights, ranks, optimizer } = options;
    for (const [name, weight] of graph.weights) weight.requiresGrad = trained.includes(name);
    const named = (names: readonly string[]): Map<string, Tensor> =>
      new Map(names.map((name) => [name, graph.weights.get(name)!]));
    const loss = finetuneTerms(constants, weights);
    const parts = {
      head: new WholeHead(leafOf(options, graph.device), { name: 'centers', decays: false, loss, ranks, optimizer }),
      groups: rateGroups(graph, trained, layerDecay).map(({ rate, names }) => ({ rate, weights: named(names) })),
      statistics: [...graph.statistics.values()],
    };
    super(parts, options);
    this.graph = graph;
    this.options = options;
    this.mean = new WeightMean(named(trained), { startShare: options.startShare });
  }

  /** Learns from one batch. Changes no weight or statistic if a loss or gradient is not finite. */
  step({ indices, load, targets }: FinetuneBatch, lr: number): StepResult {
    const share = this.ranks.place(indices.length);
    return this.learnFrom({ forward: () => this.#forward(load()), targets, share }, lr);
  }

  /** D */
  get embeddingLength(): number {
    return this.centers.size(0);
  }

  /**
   * @param faces - (N, 112, 112, 3) uint8, BGR
   * @returns (N, D): features of the model as it would be written now, with the mean weights if there are any and the initial weights' share
   */
  embed(faces: Uint8Array): Float32Array {
    using _scope = scope();
    using _ = noGrad();
    const images = laidOut(
      inputTensor(faces, this.options.input).to({ device: this.graph.device }),
      this.options.precision,
    );
    const compute = (): Tensor => this.#inPrecision(() => this.graph.forward(images));
    return this.mean.during(compute).toArray() as Float32Array;
  }

  #inPrecision(body: () => Tensor): Tensor {
    const { precision } = this.options;
    return inPrecision({ precision, device: this.graph.device }, body);
  }

  /** Adds the current weights to their mean. */
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

  /** @param value - (n, …): value of the front or the input @returns (n, D) float32 */
  #forward(value: Tensor): Tensor {
    const { front } = this.options;
    const part = { training: true, ...this.ranks.together, ...(front !== undefined && { from: front }) };
    return this.#inPrecision(() => this.graph.forward(value, part));
  }

  protected *named(): IterableIterator<readonly [string, Tensor]> {
    for (const [name, tensor] of this.mean.weights) yield [`weights.${name}`, tensor];
    for (const [name, tensor] of this.mean.means) yield [`mean.${name}`, tensor];
    for (const [name, tensor] of this.graph.statistics) yield [`statistics.${name}`, tensor];
    yield* this.keptBy('');
  }
}

function leafOf({ centers, classes }: FinetunerOptions, device: Device): Tensor {
  using all = scope();
  using _ = noGrad();
  const leaf = all.keep(
    fromArray(centers, [centers.length / classes, classes])
      .clone()
      .to({ device }),
  );
  leaf.requiresGrad = true;
  return leaf;
}
