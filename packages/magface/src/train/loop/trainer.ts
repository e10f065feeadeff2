/** One model in training: a step on a batch, and all of its state out and in again, exactly. */
import { autocast, type Device, fromArray, Generator, noGrad, Sgd, scope, type Tensor } from '@magface/torch';
import { ShapeError } from '../../errors.ts';
import { float32Tensor, type Tensor as StoredTensor, toFloat32 } from '../../format/tensor.ts';
import type { Batch } from '../data/loader.ts';
import { centersName, type Head, type HeadLoss, storedTensor, WholeHead } from '../model/head.ts';
import { type Architecture, batchCounters } from '../model/layers.ts';
import type { MagFaceOptions } from '../model/magface-loss.ts';
import { createNetwork, type Network } from '../model/network.ts';
import type { Ranks } from '../parallel/ranks.ts';
import type { Share } from '../parallel/shares.ts';
import { SplitHead } from '../parallel/split-head.ts';
import type { CheckpointContent } from './checkpoint-file.ts';
import type { LossScale, LossScaleState } from './loss-scale.ts';
import { type SkippedStep, whyNotFinite } from './skipped-steps.ts';

/** What is trained, by which loss and optimizer, and where. */
export interface TrainerOptions {
  readonly architecture: Architecture;
  /** K. */
  readonly classes: number;
  readonly loss: MagFaceOptions;
  /** μ of SGD. `--momentum` @default 0.9 */
  readonly momentum?: number;
  /** On every parameter, as officially. `--wd` @default 5e-4 */
  readonly weightDecay?: number;
  /** Share of channels zeroed before the linear layer. @default 0.4 */
  readonly dropout?: number;
  /** `bf16` runs convolutions and products in bfloat16, `fp16` in float16. @default 'fp32' */
  readonly precision?: 'fp32' | 'bf16' | 'fp16';
  /** Where network and centers are and compute. @default 'cpu' */
  readonly device?: Device;
  /** Whether BatchNorm runs together with what follows it, where that is faster: see {@link Network}. @default true */
  readonly fused?: boolean;
  /** Of the initialisation and of dropout. @default 1 */
  readonly seed?: number;
  /** Keeps small gradients from vanishing in fp16. @default none */
  readonly lossScale?: LossScale;
  /** The processes that train together, each on its part of the batch and with its part of the centers. @default none */
  readonly ranks?: Ranks;
  /** Share of the centers that take part in a step, with ranks. `--sample-rate` @default 1 */
  readonly sampleRate?: number;
}

/** What one step came to. */
export interface StepResult {
  readonly loss: number;
  readonly lossId: number;
  /** Mean g(a), without λ_g. */
  readonly lossG: number;
  /** Share of the batch whose nearest center, without margin, is its own. */
  readonly accuracy: number;
  /** Of ‖f‖ held within [l_a, u_a]. */
  readonly magnitudeMean: number;
  readonly magnitudeMin: number;
  readonly magnitudeMax: number;
  readonly marginMean: number;
  /** L2 norm over all gradients. */
  readonly gradientNorm: number;
  /** Why the weights were left as they were; undefined when all was finite. */
  readonly skipped: SkippedStep | undefined;
  /** Rows of the batch that the next two are of. @default all N */
  readonly rows?: readonly number[];
  /** (N): a of each sample. */
  readonly magnitudes: Float32Array;
  /** (N): cos θ of each sample with its own center. */
  readonly targetCosines: Float32Array;
}

/** Of convolutions and products. */
const smallTypes = { fp32: null, bf16: 'bfloat16', fp16: 'float16' } as const;

/** A network and its centers, which learn batch by batch. The loop is the caller's: schedule, checkpoints and metrics. */
export class Trainer {
  readonly options: TrainerOptions;
  readonly network: Network;
  readonly head: Head;
  /** Of the network; the head has its own. */
  readonly optimizer: Sgd;
  readonly #dropout: Generator;

  constructor(options: TrainerOptions) {
    const { architecture, seed = 1, device, fused = true } = options;
    this.options = options;
    this.network = createNetwork(architecture, seed, device);
    this.network.isFused = fused;
    this.head = createHead(options, seed + 1);
    this.optimizer = new Sgd([...this.network.parameters.values()]);
    this.#dropout = new Generator(seed + 2);
  }

  /** Of this process: (D, K), or with ranks (K_r, D). */
  get centers(): Tensor {
    return this.head.centers;
  }

  /** Learns from one batch of the loader: see {@link Trainer.learn}. */
  step(batch: Batch, lr: number): StepResult {
    using _step = scope();
    return this.learn(this.#place(toImages(batch.faces)), this.#place(fromArray(batch.labels)), lr);
  }

  /**
   * One step of SGD. A loss or gradient that is not finite leaves every weight and statistic as it was.
   *
   * @param images - (n, 3, 112, 112) float32, BGR, x / 255: the batch, or this rank's share of it
   * @param labels - (n) int64, each in [0, K)
   * @returns what the whole batch came to
   */
  learn(images: Tensor, labels: Tensor, lr: number): StepResult {
    const { ranks } = this.options;
    return ranks === undefined
      ? this.#learn(images, labels, lr)
      : ranks.group.run(() => this.#learn(images, labels, lr));
  }

  #learn(images: Tensor, localLabels: Tensor, lr: number): StepResult {
    using _step = scope();
    const { momentum = 0.9, weightDecay = 5e-4, lossScale, ranks } = this.options;
    const count = localLabels.size(0);
    const share = ranks?.place(count) ?? { first: 0, count, total: count };
    const labels = ranks?.gather(localLabels, share) ?? localLabels; // (N)
    const statistics = [...this.network.tensors.values()].filter((tensor) => !tensor.requiresGrad);
    const before = statistics.map((tensor) => tensor.clone());

    this.optimizer.zeroGrad();
    const features = this.#forward(images, share); // (n, D)
    const scale = lossScale?.value ?? 1;
    const loss = this.#backward(() => this.head.backward(features, labels, scale, this.network.batches));

    const values = [...this.optimizer.gradientNorms(), this.head.gradientNorm()].map((norm) => norm / scale);
    const norms = new Map([...this.network.parameters.keys(), centersName].map((name, i) => [name, values[i]!]));
    const firstOfBatch = (row: number | undefined): number | undefined => {
      const own = row === undefined ? undefined : share.first + row;
      return ranks === undefined ? own : ranks.least(own);
    };
    const skipped = whyNotFinite({ loss: loss.loss, norms, features, firstOfBatch });
    using _noGrad = noGrad();
    const settings = { lr, momentum, weightDecay, gradientScale: 1 / scale };
    if (skipped === undefined) for (const part of [this.optimizer, this.head]) part.step(settings);
    else this.#rollBack(statistics, before);
    lossScale?.update(skipped !== undefined);
    return {
      loss: loss.loss,
      lossId: loss.lossId,
      lossG: loss.lossG,
      accuracy: loss.accuracy,
      magnitudeMean: loss.magnitudes.mean().item(),
      magnitudeMin: loss.magnitudes.min().item(),
      magnitudeMax: loss.magnitudes.max().item(),
      marginMean: loss.margins.mean().item(),
      gradientNorm: Math.hypot(...values),
      skipped,
      magnitudes: loss.magnitudes.toArray() as Float32Array,
      targetCosines: loss.cosines.toArray() as Float32Array,
    };
  }

  /**
   * @param faces - (N, 112, 112, 3) uint8, BGR
   * @returns (N, D): features as the trained model gives them, not normalized
   */
  embed(faces: Uint8Array): Float32Array {
    using _scope = scope();
    using _noGrad = noGrad();
    using _precision = autocast(smallTypes[this.options.precision ?? 'fp32'], this.options.device);
    return this.network.forward(this.#place(toImages(faces)), { training: false }).toArray() as Float32Array;
  }

  /** @param share - which rows of the batch these are */
  #forward(images: Tensor, share: Share): Tensor {
    const { dropout = 0.4, precision = 'fp32', device, ranks } = this.options;
    using _ = autocast(smallTypes[precision], device);
    const together = ranks?.syncBatchNorm === true ? { group: ranks.group } : {};
    return this.network.forward(images, { training: true, dropout, generator: this.#dropout, share, ...together });
  }

  /** The same on the device that this trains on. */
  #place(tensor: Tensor): Tensor {
    const { device = 'cpu' } = this.options;
    return device === 'cpu' ? tensor : tensor.to({ device });
  }

  #backward(body: () => HeadLoss): HeadLoss {
    const { ranks } = this.options;
    return ranks === undefined ? body() : ranks.sumGradients(this.optimizer.parameters, body);
  }

  /** Undoes what a skipped step did to the running statistics and to the count of batches. */
  #rollBack(statistics: readonly Tensor[], before: readonly Tensor[]): void {
    for (const [i, tensor] of statistics.entries()) tensor.copy_(before[i]!);
    this.network.batches--;
  }

  /** All that another process needs to go on, beside where the run is. */
  save(state: Readonly<Record<string, unknown>>): CheckpointContent {
    const tensors = new Map<string, StoredTensor>();
    for (const [name, tensor] of this.#named())
      tensors.set(name, float32Tensor(tensor.shape, tensor.toArray() as Float32Array));
    for (const [name, tensor] of this.head.save()) tensors.set(name, tensor);
    const batches = new Uint8Array(BigInt64Array.of(BigInt(this.network.batches)).buffer);
    for (const name of batchCounters(this.options.architecture)) {
      tensors.set(`features.${name}`, { dtype: 'I64', shape: [], bytes: batches });
    }
    const random = this.#dropout.save();
    tensors.set('random.dropout', { dtype: 'U8', shape: [random.length], bytes: random });
    const { name, embeddingLength } = this.options.architecture;
    const { classes, lossScale } = this.options;
    const scale = lossScale === undefined ? {} : { lossScale: lossScale.state };
    return { tensors, state: { arch: name, embeddingLength, classes, ...scale, ...state } };
  }

  /** Takes over what {@link Trainer.save} gave. @param file - for errors */
  restore({ tensors, state }: CheckpointContent, file: string): void {
    using _scope = scope();
    using _noGrad = noGrad();
    for (const [name, tensor] of this.#named()) {
      const value = storedTensor(tensors, { name, shape: tensor.shape, file });
      tensor.copy_(fromArray(toFloat32(value), value.shape));
    }
    this.head.restore(tensors, file);
    const { lossScale } = state as { readonly lossScale?: LossScaleState };
    if (this.options.lossScale !== undefined && lossScale !== undefined) this.options.lossScale.state = lossScale;
    const [counter] = batchCounters(this.options.architecture);
    const count = tensors.get(`features.${counter}`);
    if (count !== undefined) this.network.batches = toFloat32(count)[0]!;
    const random = tensors.get('random.dropout');
    if (random !== undefined) this.#dropout.restore(random.bytes);
  }

  /** The network's weights under the official names, and their velocities. */
  *#named(): IterableIterator<readonly [string, Tensor]> {
    for (const [name, tensor] of this.network.tensors) yield [`features.${name}`, tensor];
    for (const [i, name] of [...this.network.parameters.keys()].entries()) {
      yield [`optimizer.features.${name}`, this.optimizer.velocities[i]!];
    }
  }
}

function createHead(
  { architecture, classes, loss, device, ranks, sampleRate = 1 }: TrainerOptions,
  seed: number,
): Head {
  const dimension = architecture.embeddingLength;
  return ranks === undefined
    ? new WholeHead(dimension, classes, { loss, seed, device })
    : new SplitHead(ranks.group, dimension, classes, { loss, seed, sampleRate, ...(device && { device }) });
}

/**
 * @param faces - (N, 112, 112, 3) uint8, BGR
 * @returns (N, 3, 112, 112) float32, x / 255, the channels last in memory
 */
export function toImages(faces: Uint8Array): Tensor {
  const count = faces.length / (112 * 112 * 3);
  if (!Number.isInteger(count)) {
    throw new ShapeError(`Expected faces of 112 x 112 x 3 bytes but received ${faces.length} bytes.`);
  }
  // Copied: the slot is shared between threads and will be used again.
  const bytes = fromArray(Uint8Array.from(faces), [count, 112, 112, 3]);
  return bytes.permute([0, 3, 1, 2]).to({ dtype: 'float32' }).div(255);
}
