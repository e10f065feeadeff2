/** Trains a layered network with MagFace's or another loss, with all centers in one process or split over ranks. */
import { type Device, fromArray, Generator, noGrad, type Optimizer, scope, type Tensor } from '@magface/torch';
import { ShapeError } from '../../errors.ts';
import { toFloat32 } from '../../format/tensor.ts';
import { type Architecture, batchCounters } from '../../graph/networks/builder.ts';
import { createNetwork, type Network } from '../../graph/torch/network.ts';
import type { Batch } from '../data/loader.ts';
import { Distillation, type DistillationOptions } from '../model/distillation.ts';
import { type Head, initialCenters, restoreAll, storeAll, WholeHead } from '../model/head.ts';
import { type LossOptions, openHead } from '../model/heads/open-head.ts';
import { headTerms } from '../model/heads/whole-terms.ts';
import { Ranks } from '../parallel/ranks.ts';
import type { Share } from '../parallel/shares.ts';
import { SplitHead } from '../parallel/split-head.ts';
import type { CheckpointContent } from './checkpoint-file.ts';
import { inPrecision, type Precision } from './device.ts';
import { Learner, type LearningRules, type StepParts, type StepResult } from './learner.ts';
import { WeightMean } from './weight-mean.ts';

/** Prefix of the mean weights in a checkpoint; `features.` has the weights themselves. */
const meanPrefix = 'mean.features.';

/** The network, loss, optimizer and device of a training. */
export interface TrainerOptions extends LearningRules {
  readonly architecture: Architecture;
  /** K. */
  readonly classes: number;
  /** MagFace with its constants, another loss by its name, or a function of your own. */
  readonly loss: LossOptions;
  /** Share of channels zeroed before the linear layer. @default 0.4 */
  readonly dropout?: number;
  /** `bf16` runs convolutions and products in bfloat16, `fp16` in float16. @default 'fp32' */
  readonly precision?: Precision;
  /** Device of the network and centers. @default 'cpu' */
  readonly device?: Device;
  /** Whether BatchNorm is fused with the next layer where that is faster: see {@link Network}. @default true */
  readonly fused?: boolean;
  /** Seed of initialisation and dropout. @default 1 */
  readonly seed?: number;
  /** Probability that is spread over all classes: see crossEntropy. Only with a softmax. `--label-smoothing` @default 0 */
  readonly labelSmoothing?: number;
  /** Share of the centers sampled per step, with ranks. `--sample-rate` @default 1 */
  readonly sampleRate?: number;
  /** Share that the moving mean of the weights keeps at each step; `embed` uses the mean. `--ema` @default no mean */
  readonly ema?: number;
  /** Parts in which a batch is computed, one after another; BatchNorm sees a part at a time. `--accumulate` @default 1 */
  readonly accumulate?: number;
  /** A teacher, whose features the network learns to give too. @default none */
  readonly distillation?: DistillationOptions | undefined;
}

/** A network and its centers, trained batch by batch. The caller handles the schedule, checkpoints and metrics. */
export class Trainer extends Learner<Tensor> {
  readonly options: TrainerOptions;
  readonly network: Network;
  readonly #dropout: Generator;
  readonly #mean: WeightMean | undefined;
  readonly #distillation: Distillation | undefined;

  constructor(options: TrainerOptions) {
    const { architecture, seed = 1, device, fused = true } = options;
    const network = createNetwork(architecture, seed, device);
    network.isFused = fused;
    const statistics = [...network.statistics.values()];
    const groups = [{ rate: 1, weights: network.weights }];
    const distillation = createDistillation(options, seed + 3);
    super({ head: createHead(options, seed + 1), groups, statistics, counter: network, distillation }, options);
    this.#distillation = distillation;
    this.options = options;
    this.network = network;
    this.#dropout = new Generator(seed + 2);
    this.#mean =
      options.ema === undefined || options.ema === 0
        ? undefined
        : new WeightMean(network.tensors, { decay: options.ema });
  }

  /** The network's optimizer, of its decaying weights if others do not decay; the head has its own. */
  get optimizer(): Optimizer {
    return this.optimizers[0]!;
  }

  /** Moving means of BatchNorm's statistics: empty without `ema`. */
  get meanStatistics(): readonly Tensor[] {
    const means = this.#mean?.means;
    return means === undefined ? [] : [...this.network.statistics.keys()].map((name) => means.get(name)!);
  }

  /** D */
  get embeddingLength(): number {
    return this.options.architecture.embeddingLength;
  }

  /** Learns from one of the loader's batches: see {@link Trainer.learn}. */
  step(batch: Batch, lr: number): StepResult {
    using _step = scope();
    const [images, labels] = [this.#place(toImages(batch.faces)), this.#place(fromArray(batch.labels))];
    return this.learn(images, labels, lr, batch.indices);
  }

  /**
   * Takes one step. Changes no weight or statistic if a loss or gradient is not finite.
   *
   * @param images - (n, 3, 112, 112) float32, BGR, x / 255: the batch, or this rank's share of it
   * @param labels - (n) int64, each in [0, K)
   * @param indices - (n): which training faces these are; a teacher needs it
   * @returns the result for the whole batch
   */
  learn(images: Tensor, labels: Tensor, lr: number, indices?: Uint32Array): StepResult {
    using _step = scope();
    const share = this.ranks.place(labels.size(0));
    const targets = this.ranks.gather(labels, share); // (N)
    const parts = this.#partsOf(images, { targets, share, indices });
    const result = this.learnFrom(parts, lr);
    if (result.skipped === undefined) this.#mean?.add();
    return result;
  }

  #partsOf(images: Tensor, { targets, share, indices }: Omit<StepParts<Tensor>, 'forward'>): StepParts<Tensor>[] {
    const { accumulate = 1 } = this.options;
    if (accumulate === 1) return [{ forward: () => this.#forward(images, share), targets, share, indices }];
    const count = images.size(0) / accumulate;
    if (!Number.isInteger(count) || this.ranks.size > 1)
      throw new ShapeError({
        expected: `a batch of one process that can be divided into ${accumulate} equal parts`,
        received: `${images.size(0)} images in ${this.ranks.size} processes`,
        remedy: 'change the batch size',
      });
    return Array.from({ length: accumulate }, (_, part) => {
      const own: Share = { first: part * count, count, total: images.size(0) };
      const whole: Share = { first: 0, count, total: count };
      const rows = images.narrow(0, own.first, count);
      const some = indices?.subarray(own.first, own.first + count);
      return {
        forward: () => this.#forward(rows, whole),
        targets: targets.narrow(0, own.first, count),
        share: own,
        indices: some,
      };
    });
  }

  /**
   * @param faces - (N, 112, 112, 3) uint8, BGR
   * @returns (N, D): features of the trained model, not normalized
   */
  embed(faces: Uint8Array): Float32Array {
    using _scope = scope();
    using _noGrad = noGrad();
    const images = this.#place(toImages(faces));
    const forward = (): Tensor => inPrecision(this.options, () => this.network.forward(images, { training: false }));
    const features = this.#mean === undefined ? forward() : this.#mean.during(forward);
    return features.toArray() as Float32Array;
  }

  /** @param share - these rows' position in the batch */
  #forward(images: Tensor, share: Share): Tensor {
    const { dropout = 0.4 } = this.options;
    const mode = { training: true, dropout, generator: this.#dropout, share, ...this.ranks.together } as const;
    return inPrecision(this.options, () => this.network.forward(images, mode));
  }

  /** Moves the tensor to the device of this trainer. */
  #place(tensor: Tensor): Tensor {
    return tensor.to({ device: this.options.device ?? 'cpu' });
  }

  override save(state: Readonly<Record<string, unknown>>): CheckpointContent {
    const { architecture, classes } = this.options;
    const own = super.save({});
    const tensors = new Map(own.tensors);
    const batches = new Uint8Array(BigInt64Array.of(BigInt(this.network.batches)).buffer);
    for (const name of batchCounters(architecture)) {
      tensors.set(`features.${name}`, { dtype: 'I64', shape: [], bytes: batches });
    }
    const random = this.#dropout.save();
    tensors.set('random.dropout', { dtype: 'U8', shape: [random.length], bytes: random });
    const { name: arch, embeddingLength } = architecture;
    if (this.#distillation !== undefined)
      for (const [name, tensor] of storeAll(this.#distillation.named())) tensors.set(name, tensor);
    const averaged = this.#mean !== undefined && this.#mean.count > 0 ? { averagedSteps: this.#mean.count } : {};
    // Before the first step the means are zeros, which nobody should export.
    if (averaged.averagedSteps) for (const [name, tensor] of storeAll(this.#meanNamed())) tensors.set(name, tensor);
    return { tensors, state: { arch, embeddingLength, classes, ...averaged, ...(own.state as object), ...state } };
  }

  override restore(content: CheckpointContent, file: string): void {
    super.restore(content, file);
    const [counter] = batchCounters(this.options.architecture);
    const count = content.tensors.get(`features.${counter}`);
    if (count !== undefined) this.network.batches = toFloat32(count)[0]!;
    const random = content.tensors.get('random.dropout');
    if (random !== undefined) this.#dropout.restore(random.bytes);
    this.#distillation?.restore(content.tensors);
    this.#restoreMean(content, file);
  }

  /** A checkpoint of a run without the mean begins one. */
  #restoreMean({ tensors, state }: CheckpointContent, file: string): void {
    const { averagedSteps } = state as { readonly averagedSteps?: number };
    if (this.#mean === undefined || averagedSteps === undefined) return;
    restoreAll(this.#meanNamed(), tensors, file);
    this.#mean.count = averagedSteps;
  }

  *#meanNamed(): IterableIterator<readonly [string, Tensor]> {
    for (const [name, tensor] of this.#mean!.means) yield [`${meanPrefix}${name}`, tensor];
  }

  /** The network's weights under the official names, and what the optimizer keeps for them. */
  protected *named(): IterableIterator<readonly [string, Tensor]> {
    for (const [name, tensor] of this.network.tensors) yield [`features.${name}`, tensor];
    yield* this.keptBy('features.');
  }
}

function createDistillation(
  { distillation, architecture, ranks = new Ranks(), optimizer, device }: TrainerOptions,
  seed: number,
): Distillation | undefined {
  if (distillation === undefined) return undefined;
  const { embeddingLength: dimension } = architecture;
  const options = { ...(optimizer && { optimizer }), ...(device && { device }) };
  return new Distillation({ ...distillation, ...options, dimension, ranks, seed });
}

function createHead(
  { architecture, classes, loss, device, ranks, optimizer, labelSmoothing, sampleRate = 1 }: TrainerOptions,
  seed: number,
): Head {
  const dimension = architecture.embeddingLength;
  const { group } = ranks ?? {};
  if (group !== undefined)
    return new SplitHead(group, dimension, classes, {
      loss,
      seed,
      sampleRate,
      ...(device && { device }),
      ...(optimizer && { optimizer }),
      ...(labelSmoothing && { labelSmoothing }),
    });
  const head = openHead(loss, classes);
  const centers = initialCenters([dimension, classes], { seed, device });
  return new WholeHead(centers, { loss: headTerms(head, seed, labelSmoothing), keeps: head, optimizer });
}

/**
 * @param faces - (N, 112, 112, 3) uint8, BGR
 * @returns (N, 3, 112, 112) float32, x / 255, channels last in memory
 */
export function toImages(faces: Uint8Array): Tensor {
  const count = faces.length / (112 * 112 * 3);
  if (!Number.isInteger(count)) {
    throw new ShapeError({
      expected: 'faces of 112 x 112 x 3 bytes',
      received: `${faces.length} bytes`,
      remedy: 'pass whole faces',
    });
  }
  // Copied, since threads share the slot and will reuse it.
  const bytes = fromArray(Uint8Array.from(faces), [count, 112, 112, 3]);
  return bytes.permute([0, 3, 1, 2]).to({ dtype: 'float32' }).div(255);
}
