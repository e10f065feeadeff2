/** The last layer in training: the class centers, the loss over them, and their own step of SGD. */
import {
  type Device,
  fromArray,
  Generator,
  noGrad,
  Sgd,
  type SgdOptions,
  scope,
  type Tensor,
  zeros,
} from '@magface/torch';
import { FormatError } from '../../errors.ts';
import { float32Tensor, type Tensor as StoredTensor, toFloat32 } from '../../format/tensor.ts';
import { type MagFaceOptions, magfaceLoss } from './magface-loss.ts';

/** What a batch came to. */
export interface HeadLoss {
  /** L, its mean cross-entropy, and its mean g(a) without λ_g. */
  readonly loss: number;
  readonly lossId: number;
  readonly lossG: number;
  /** Share of the batch whose nearest center, without margin, is its own. */
  readonly accuracy: number;
  /** (N, 1): a. */
  readonly magnitudes: Tensor;
  /** (N, 1): m(a). */
  readonly margins: Tensor;
  /** (N, 1): cos θ of each sample with its own center, without margin. */
  readonly cosines: Tensor;
}

/** Class centers with their loss: all of them in `WholeHead`, the part of a rank in parallel/split-head.ts. */
export interface Head {
  /** Of this process: (D, K), or a rank's (K_r, D). */
  readonly centers: Tensor;
  /**
   * The loss of a batch, and backward through all that features and centers were made of.
   *
   * @param features - (n, D) float32: of this process's part of the batch
   * @param labels - (N) int64: of the whole batch
   * @param lossScale - what gradients are multiplied with
   * @param step - done so far, for what is drawn anew each step
   */
  backward(features: Tensor, labels: Tensor, lossScale: number, step: number): HeadLoss;
  /** L2 norm of the centers' gradient, on all ranks together; not finite where one value is not. */
  gradientNorm(): number;
  /** The step of SGD. */
  step(options: SgdOptions): void;
  /** Centers and velocities of this process, (D, K) or a part of its columns, by their names in checkpoints. */
  save(): Map<string, StoredTensor>;
  /** Takes over the whole's. @param file - for errors */
  restore(tensors: ReadonlyMap<string, StoredTensor>, file: string): void;
}

/** Names in checkpoints, of (D, K) each, as the official single-process trainer has them. */
export const centersName = 'fc.weight';
export const velocitiesName: string = `optimizer.${centersName}`;

export interface WholeHeadOptions {
  readonly loss: MagFaceOptions;
  readonly seed: number;
  /** @default 'cpu' */
  readonly device?: Device | undefined;
}

/** All class centers in one process. */
export class WholeHead implements Head {
  /** (D, K) */
  readonly centers: Tensor;
  readonly optimizer: Sgd;
  readonly #constants: MagFaceOptions;

  constructor(dimension: number, classes: number, options: WholeHeadOptions) {
    this.centers = initialCenters(dimension, classes, options);
    this.optimizer = new Sgd([this.centers]);
    this.#constants = options.loss;
  }

  backward(features: Tensor, labels: Tensor, lossScale: number): HeadLoss {
    this.optimizer.zeroGrad();
    const { total, identity, regularizer, ...parts } = magfaceLoss(features, this.centers, labels, this.#constants);
    (lossScale === 1 ? total : total.mul(lossScale)).backward();
    using _ = noGrad();
    const cosines = parts.cosines.gather(1, labels.unsqueeze(1)); // (N, 1)
    const accuracy = parts.cosines.argmax({ dim: 1 }).eq(labels).to({ dtype: 'float32' }).mean().item();
    return {
      loss: total.item(),
      lossId: identity.item(),
      lossG: regularizer.item(),
      accuracy,
      magnitudes: parts.magnitudes,
      margins: parts.margins,
      cosines,
    };
  }

  gradientNorm(): number {
    return this.optimizer.gradientNorms()[0]!;
  }

  step(options: SgdOptions): void {
    this.optimizer.step(options);
  }

  save(): Map<string, StoredTensor> {
    return new Map(
      this.#named().map(([name, tensor]) => [name, float32Tensor(tensor.shape, tensor.toArray() as Float32Array)]),
    );
  }

  restore(tensors: ReadonlyMap<string, StoredTensor>, file: string): void {
    using _scope = scope();
    using _noGrad = noGrad();
    for (const [name, tensor] of this.#named()) {
      tensor.copy_(fromArray(toFloat32(storedTensor(tensors, { name, shape: tensor.shape, file })), tensor.shape));
    }
  }

  #named(): (readonly [string, Tensor])[] {
    return [
      [centersName, this.centers],
      [velocitiesName, this.optimizer.velocities[0]!],
    ];
  }
}

/** A tensor of a checkpoint. @throws {FormatError} when it is not there or of another shape */
export function storedTensor(
  tensors: ReadonlyMap<string, StoredTensor>,
  wanted: { readonly name: string; readonly shape: readonly number[]; readonly file: string },
): StoredTensor {
  const { name, shape, file } = wanted;
  const value = tensors.get(name);
  if (value?.shape.join() === shape.join()) return value!;
  const received = value === undefined ? 'there is none' : `it is (${value.shape.join(', ')})`;
  throw new FormatError(
    file,
    `Expected ${name} of shape (${shape.join(', ')}) but ${received}: use the arch and the classes it was trained with.`,
  );
}

/** The official start: uniform in (-1, 1), then every class column of length one. */
function initialCenters(dimension: number, classes: number, { seed, device = 'cpu' }: WholeHeadOptions): Tensor {
  using all = scope();
  using _ = noGrad();
  const raw = zeros([dimension, classes]).uniform_({ from: -1, to: 1, generator: new Generator(seed) });
  const columns = raw.div(raw.norm(2, 0, { keepdim: true })).contiguous();
  const centers = all.keep(device === 'cpu' ? columns : columns.to({ device }));
  centers.requiresGrad = true;
  return centers;
}
