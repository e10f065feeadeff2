/** One model in training: a step on a batch, and all of its state out and in again, exactly. */
import { autocast, fromArray, Generator, noGrad, Sgd, scope, type Tensor, zeros } from '@magface/torch';
import { FormatError, ShapeError } from '../errors.ts';
import { float32Tensor, type Tensor as StoredTensor, toFloat32 } from '../format/tensor.ts';
import type { CheckpointContent } from './checkpoint-file.ts';
import { type Architecture, batchCounters } from './layers.ts';
import type { Batch } from './loader.ts';
import { type MagFaceOptions, magfaceLoss } from './magface-loss.ts';
import { createNetwork, type Network } from './network.ts';

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
  /** `bf16` runs convolutions and products in bfloat16. @default 'fp32' */
  readonly precision?: 'fp32' | 'bf16';
  /** Of the initialisation and of dropout. @default 1 */
  readonly seed?: number;
}

/** A step that changed nothing, because something was not finite. */
export interface SkippedStep {
  readonly reason: string;
  /** The first sample of the batch whose features were not finite. */
  readonly sample: number | undefined;
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
  /** (N): a of each sample. */
  readonly magnitudes: Float32Array;
  /** (N): cos θ of each sample with its own center. */
  readonly targetCosines: Float32Array;
}

/** Name of the class centers in checkpoints: (D, K), as the official single-process trainer has it. */
const centersName = 'fc.weight';

export class Trainer {
  readonly options: TrainerOptions;
  readonly network: Network;
  /** (D, K) */
  readonly centers: Tensor;
  readonly optimizer: Sgd;
  readonly #dropout: Generator;

  constructor(options: TrainerOptions) {
    const { architecture, classes, seed = 1 } = options;
    this.options = options;
    this.network = createNetwork(architecture, seed);
    this.centers = initialCenters(architecture.embeddingLength, classes, new Generator(seed + 1));
    this.optimizer = new Sgd([...this.network.parameters.values(), this.centers]);
    this.#dropout = new Generator(seed + 2);
  }

  /** Learns from one batch of the loader: see {@link Trainer.learn}. */
  step(batch: Batch, lr: number): StepResult {
    using _step = scope();
    return this.learn(toImages(batch.faces), fromArray(batch.labels), lr);
  }

  /**
   * One step of SGD. A loss or gradient that is not finite leaves every weight and statistic as it was.
   *
   * @param images - (N, 3, 112, 112) float32, BGR, x / 255
   * @param labels - (N) int64, each in [0, K)
   */
  learn(images: Tensor, labels: Tensor, lr: number): StepResult {
    using _step = scope();
    const { momentum = 0.9, weightDecay = 5e-4, loss: lossOptions } = this.options;
    const statistics = [...this.network.tensors.values()].filter((tensor) => !tensor.requiresGrad);
    const before = statistics.map((tensor) => tensor.clone());

    this.optimizer.zeroGrad();
    const features = this.#forward(images); // (N, D)
    const loss = magfaceLoss(features, this.centers, labels, lossOptions);
    loss.total.backward();

    const norms = this.optimizer.gradientNorms();
    const skipped = this.#whyNotFinite(loss.total.item(), norms, features);
    using _noGrad = noGrad();
    if (skipped === undefined) this.optimizer.step({ lr, momentum, weightDecay });
    else this.#takeBack(statistics, before);
    const own = loss.cosines.gather(1, labels.unsqueeze(1)); // (N, 1)
    return {
      loss: loss.total.item(),
      lossId: loss.identity.item(),
      lossG: loss.regularizer.item(),
      accuracy: loss.cosines.argmax({ dim: 1 }).eq(labels).to({ dtype: 'float32' }).mean().item(),
      magnitudeMean: loss.magnitudes.mean().item(),
      magnitudeMin: loss.magnitudes.min().item(),
      magnitudeMax: loss.magnitudes.max().item(),
      marginMean: loss.margins.mean().item(),
      gradientNorm: Math.hypot(...norms),
      skipped,
      magnitudes: loss.magnitudes.toArray() as Float32Array,
      targetCosines: own.toArray() as Float32Array,
    };
  }

  /**
   * @param faces - (N, 112, 112, 3) uint8, BGR
   * @returns (N, D): features as the trained model gives them, not normalized
   */
  embed(faces: Uint8Array): Float32Array {
    using _scope = scope();
    using _noGrad = noGrad();
    using _precision = autocast(this.options.precision === 'bf16' ? 'bfloat16' : null);
    return this.network.forward(toImages(faces), { training: false }).toArray() as Float32Array;
  }

  #forward(images: Tensor): Tensor {
    const { dropout = 0.4, precision = 'fp32' } = this.options;
    using _ = autocast(precision === 'bf16' ? 'bfloat16' : null);
    return this.network.forward(images, { training: true, dropout, generator: this.#dropout });
  }

  /** After a step that was left out: its batch is not in the running statistics, nor counted. */
  #takeBack(statistics: readonly Tensor[], before: readonly Tensor[]): void {
    for (const [i, tensor] of statistics.entries()) tensor.copy_(before[i]!);
    this.network.batches--;
  }

  /** Names the first sample and the first tensor that are not finite. */
  #whyNotFinite(loss: number, norms: Float64Array, features: Tensor): SkippedStep | undefined {
    if (Number.isFinite(loss) && norms.every(Number.isFinite)) return undefined;
    const names = [...this.network.parameters.keys(), centersName];
    const tensor = names[norms.findIndex((norm) => !Number.isFinite(norm))];
    const row = (features.norm(2, 1).toArray() as Float32Array).findIndex((norm) => !Number.isFinite(norm));
    const sample = row < 0 ? undefined : row;
    const where = [
      ...(sample === undefined ? [] : [`the features of sample ${sample} of the batch`]),
      ...(tensor === undefined ? [] : [`the gradient of ${tensor}`]),
    ];
    const first = where.join(' and ') || 'the loss alone';
    return { reason: `Expected finite values but the loss is ${loss}; first not finite: ${first}.`, sample };
  }

  /** All that another process needs to go on, beside where the run is. */
  save(state: Readonly<Record<string, unknown>>): CheckpointContent {
    const tensors = new Map<string, StoredTensor>();
    for (const [name, tensor] of this.#named())
      tensors.set(name, float32Tensor(tensor.shape, tensor.toArray() as Float32Array));
    const batches = new Uint8Array(BigInt64Array.of(BigInt(this.network.batches)).buffer);
    for (const name of batchCounters(this.options.architecture)) {
      tensors.set(`features.${name}`, { dtype: 'I64', shape: [], bytes: batches });
    }
    const random = this.#dropout.save();
    tensors.set('random.dropout', { dtype: 'U8', shape: [random.length], bytes: random });
    const { name, embeddingLength } = this.options.architecture;
    return { tensors, state: { arch: name, embeddingLength, classes: this.options.classes, ...state } };
  }

  /** Takes over what {@link Trainer.save} gave. @param file - for errors */
  restore({ tensors }: CheckpointContent, file: string): void {
    using _scope = scope();
    using _noGrad = noGrad();
    for (const [name, tensor] of this.#named()) {
      const value = tensors.get(name);
      if (value === undefined || value.shape.join() !== tensor.shape.join()) {
        const received = value === undefined ? 'there is none' : `it is (${value.shape.join(', ')})`;
        throw new FormatError(
          file,
          `Expected ${name} of shape (${tensor.shape.join(', ')}) but ${received}: use the arch and the classes it was trained with.`,
        );
      }
      tensor.copy_(fromArray(toFloat32(value), value.shape));
    }
    const [counter] = batchCounters(this.options.architecture);
    const count = tensors.get(`features.${counter}`);
    if (count !== undefined) this.network.batches = toFloat32(count)[0]!;
    const random = tensors.get('random.dropout');
    if (random !== undefined) this.#dropout.restore(random.bytes);
  }

  /** Weights under the official names, and their velocities. */
  *#named(): IterableIterator<readonly [string, Tensor]> {
    const learned = [...this.network.parameters.keys()].map((name) => `features.${name}`);
    for (const [name, tensor] of this.network.tensors) yield [`features.${name}`, tensor];
    yield [centersName, this.centers];
    for (const [i, name] of [...learned, centersName].entries()) {
      yield [`optimizer.${name}`, this.optimizer.velocities[i]!];
    }
  }
}

/** The official start: uniform in (-1, 1), then every class column of length one. */
function initialCenters(dimension: number, classes: number, generator: Generator): Tensor {
  using all = scope();
  using _ = noGrad();
  const raw = zeros([dimension, classes]).uniform_({ from: -1, to: 1, generator });
  const centers = all.keep(raw.div(raw.norm(2, 0, { keepdim: true })).contiguous());
  centers.requiresGrad = true;
  return centers;
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
