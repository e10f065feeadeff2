/** A graph in training: a step on a batch of faces in their views. */
import { fromArray, noGrad, Sgd, scope, type Tensor } from '@magface/torch';
import { freshStatistics } from '../graph/fresh-batch-norm.ts';
import { rateGroups } from '../graph/layer-rates.ts';
import type { TrainableGraph } from '../graph/trainable-graph.ts';
import type { CheckpointContent } from '../loop/checkpoint-file.ts';
import { whyNotFinite } from '../loop/skipped-steps.ts';
import type { StepResult } from '../loop/trainer.ts';
import type { MagFaceConstants } from '../model/magface-loss.ts';
import { type FinetuneLoss, type FinetuneTargets, type FinetuneWeights, finetuneLoss } from './finetune-loss.ts';
import { restoreState, saveState } from './finetune-state.ts';
import { inPrecision } from './view-source.ts';
import { WeightMean } from './weight-mean.ts';

export interface FinetunerOptions {
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
  readonly precision: 'fp32' | 'bf16';
  /** μ of SGD. */
  readonly momentum: number;
  /** On the network's weights alone. */
  readonly weightDecay: number;
  /** The network's gradients, all together, are held at this length. */
  readonly clip: number;
}

/** Faces in their views, and what they shall come to. */
export interface FinetuneBatch {
  /** Which samples of the dataset these are. */
  readonly indices: Uint32Array;
  /** Makes the tensor (N, …) float32 in the scope of its caller. */
  readonly load: () => Tensor;
  readonly targets: FinetuneTargets;
}

/** A step's figures, with those that only finetuning has; what is told of each face is told of the recognisable ones. */
export interface FinetuneStep extends StepResult {
  /** 1 - cosine to the starting model's feature, the mean. */
  readonly kept: number;
  /** Mean squared distance of magnitudes from their targets, as a share of the range. */
  readonly quality: number;
}

export class Finetuner {
  readonly graph: TrainableGraph;
  readonly options: FinetunerOptions;
  /** (D, K) */
  readonly centers: Tensor;
  /** Of the trained weights. */
  readonly mean: WeightMean;
  readonly #network: readonly { readonly rate: number; readonly sgd: Sgd; readonly names: readonly string[] }[];
  readonly #head: Sgd;
  /** Running statistics, which every forward pass in training changes. */
  readonly #statistics: readonly Tensor[];

  constructor(graph: TrainableGraph, options: FinetunerOptions) {
    this.graph = graph;
    this.options = options;
    for (const [name, weight] of graph.weights) weight.requiresGrad = options.trained.includes(name);
    this.centers = leafOf(options);
    const trained = new Map(options.trained.map((name) => [name, graph.weights.get(name)!]));
    this.mean = new WeightMean(trained);
    this.#network = rateGroups(graph, options.trained, options.layerDecay ?? 1).map(({ rate, names }) => {
      return { rate, names, sgd: new Sgd(names.map((name) => trained.get(name)!)) };
    });
    this.#head = new Sgd([this.centers]);
    this.#statistics = [...freshStatistics(graph).values()];
  }

  /** Of SGD, by the names of the weights and `centers`. */
  get velocities(): ReadonlyMap<string, Tensor> {
    const network = this.#network.flatMap(({ names, sgd }) =>
      names.map((name, i) => [name, sgd.velocities[i]!] as const),
    );
    return new Map([...network, ['centers', this.#head.velocities[0]!]]);
  }

  /** Takes the weights into their mean. */
  average(): void {
    this.mean.add();
  }

  save(state: Readonly<Record<string, unknown>>): CheckpointContent {
    return saveState(this, state);
  }

  /** Takes over what {@link Finetuner.save} gave. @param file - for errors */
  restore(content: CheckpointContent, file: string): void {
    restoreState(this, content, file);
  }

  /** @param value - (N, …), of the front or of the input @returns (N, D) float32 */
  forward(value: Tensor): Tensor {
    const { front, precision } = this.options;
    const part = { training: true, ...(front !== undefined && { from: front }) };
    return inPrecision(precision, () => this.graph.forward(value, part));
  }

  /** Learns from one batch. A loss or gradient that is not finite leaves every weight and statistic as it was. */
  step({ load, targets }: Omit<FinetuneBatch, 'indices'>, lr: number): FinetuneStep {
    using _step = scope();
    const { constants, weights, momentum, weightDecay, clip } = this.options;
    const before = this.#statistics.map((tensor) => tensor.clone());
    for (const { sgd } of this.#network) sgd.zeroGrad();
    this.#head.zeroGrad();
    const features = this.forward(load());
    const loss = finetuneLoss(features, this.centers, { targets, constants, weights });
    loss.total.backward();
    const network = this.#network.flatMap(({ names, sgd }) => {
      const norms = sgd.gradientNorms();
      return names.map((name, i) => [name, norms[i]!] as const);
    });
    const norms = new Map([...network, ['centers', this.#head.gradientNorms()[0]!] as const]);
    const skipped = whyNotFinite({ loss: loss.total.item(), norms, features });
    using _ = noGrad();
    if (skipped === undefined) {
      const gradientScale = Math.min(1, clip / Math.hypot(...network.map(([, norm]) => norm)));
      for (const { rate, sgd } of this.#network) sgd.step({ lr: lr * rate, momentum, weightDecay, gradientScale });
      this.#head.step({ lr, momentum });
    } else for (const [i, tensor] of this.#statistics.entries()) tensor.copy_(before[i]!);
    return { ...resultOf(loss, targets), skipped, gradientNorm: Math.hypot(...norms.values()) };
  }
}

function leafOf({ centers, classes }: FinetunerOptions): Tensor {
  using all = scope();
  using _ = noGrad();
  const leaf = all.keep(fromArray(centers, [centers.length / classes, classes]).clone());
  leaf.requiresGrad = true;
  return leaf;
}

/** What the batch came to, from its loss alone. */
function resultOf(loss: FinetuneLoss, targets: FinetuneTargets): Omit<FinetuneStep, 'skipped' | 'gradientNorm'> {
  const { magface, magnitudes, kept, quality, total } = loss;
  const rows = fromArray(targets.recognisable);
  const labels = fromArray(targets.labels).indexSelect(0, rows);
  return {
    loss: total.item(),
    lossId: magface.identity.item(),
    lossG: magface.regularizer.item(),
    accuracy: magface.cosines.argmax({ dim: 1 }).eq(labels).to({ dtype: 'float32' }).mean().item(),
    magnitudeMean: magnitudes.mean().item(),
    magnitudeMin: magnitudes.min().item(),
    magnitudeMax: magnitudes.max().item(),
    marginMean: magface.margins.mean().item(),
    rows: Array.from(targets.recognisable, Number),
    magnitudes: magnitudes.indexSelect(0, rows).toArray() as Float32Array,
    targetCosines: magface.cosines.gather(1, labels.unsqueeze(1)).toArray() as Float32Array,
    kept: kept.item(),
    quality: quality.item(),
  };
}
