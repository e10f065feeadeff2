/**
 * What a network learns from a teacher beside its own loss, from the features f_i (D) of a batch and the teacher's directions t_i (D'):
 *
 *     κ · mean_i (1 − cos(P f_i, t_i))  +  κ_z · mean_i KL(softmax(s cos(t_i, c)) ‖ softmax(s cos(P f_i, c)))
 *
 * The first term gives the teacher's directions, the second how similar it finds a face to each person: c_k is the mean of the
 * teacher's directions of person k, which the network inherits as its classes for this term. P (D x D') is trained along with
 * the network, and absent where both lengths are equal. s is 32. The length of f has no part in either.
 *
 * @see Duong et al., ShrinkTeaNet, arXiv 1905.10620 (its angular distillation loss is the square of the first term)
 * @see Shi et al., ProxylessKD, arXiv 2011.00265 (the inherited classes)
 * @see Hinton et al., Distilling the Knowledge in a Neural Network, arXiv 1503.02531 (the divergence)
 */
import {
  type Device,
  fromArray,
  Generator,
  gradients,
  matmul,
  noGrad,
  normalize,
  type Optimizer,
  type StepOptions,
  scope,
  type Tensor,
  zeros,
} from '@magface/torch';
import type { Tensor as StoredTensor } from '../../format/tensor.ts';
import type { Ranks } from '../parallel/ranks.ts';
import { restorePart } from './heads/head-state.ts';
import { createOptimizer, keptNamed, type OptimizerName } from './optimizer.ts';

/** What is known of the teacher. */
export interface Teacher {
  /** (N, D'): its directions of all training faces, as they are. */
  readonly directions: Float32Array;
  /** (D', K): each person's mean direction, of length one. */
  readonly centers: Float32Array;
  /** D' */
  readonly dimension: number;
}

export interface DistillationOptions {
  readonly teacher: Teacher;
  /** κ. `--teacher-weight` @default 20 */
  readonly weight?: number;
  /** κ_z. `--teacher-logits` @default 0 */
  readonly logits?: number;
}

/** s of the second term. */
const scale = 32;

/** Name of P in checkpoints. */
const projectionName = 'teacher.projection';

export interface DistillationParts extends DistillationOptions {
  /** D */
  readonly dimension: number;
  readonly ranks: Ranks;
  readonly optimizer?: OptimizerName;
  readonly seed: number;
  readonly device?: Device;
}

export class Distillation {
  readonly name: string = projectionName;
  readonly #parts: DistillationParts;
  /** (D, D') */
  readonly #projection: Tensor | undefined;
  readonly #optimizer: Optimizer;
  /** (D', K) */
  readonly #centers: Tensor;

  constructor(parts: DistillationParts) {
    const { teacher, device = 'cpu', optimizer = 'sgd' } = parts;
    const { centers, dimension } = teacher;
    this.#parts = parts;
    this.#projection = parts.dimension === dimension ? undefined : firstProjection(parts);
    this.#centers = fromArray(centers, [dimension, centers.length / dimension])
      .clone()
      .to({ device });
    this.#optimizer = createOptimizer(optimizer, this.#projection === undefined ? [] : [this.#projection]);
  }

  /**
   * The terms of this process's part of a batch, with the gradient of P.
   *
   * @param features - (n, D)
   * @param indices - (n): which training faces they are of
   * @param total - faces in the whole batch
   * @param adds - to the gradient of P instead of replacing it
   * @returns the terms of the whole batch, and their gradient (n, D) times the loss scale
   */
  pull(
    features: Tensor,
    indices: Uint32Array,
    { total, lossScale, adds }: { readonly total: number; readonly lossScale: number; readonly adds: boolean },
  ): { readonly gradient: Tensor; readonly value: number } {
    using all = scope();
    const leaf = features.detach();
    leaf.requiresGrad = true;
    const loss = this.#terms(leaf, this.#directions(indices)).div(total);
    const leaves = [leaf, ...this.#optimizer.parameters];
    const [gradient, ofProjection] = gradients(loss.mul(lossScale), leaves);
    using _ = noGrad();
    if (this.#projection !== undefined && ofProjection !== undefined) {
      const sum = this.#parts.ranks.group?.allReduce(ofProjection) ?? ofProjection;
      const before = adds ? this.#projection.grad : undefined;
      this.#projection.grad = before === undefined ? sum : before.add(sum);
    }
    return { gradient: all.keep(gradient!), value: this.#parts.ranks.sum(loss.item()) };
  }

  /** The sum of both terms over the faces. @param directions - (n, D') */
  #terms(features: Tensor, directions: Tensor): Tensor {
    const { weight = 20, logits = 0 } = this.#parts;
    const projected = this.#projection === undefined ? features : matmul(features, this.#projection);
    const unit = normalize(projected, 1); // (n, D')
    const apart = unit.mul(directions).sumDim([1]).neg().add(1).sum().mul(weight);
    if (logits === 0) return apart;
    const [own, wanted] = [unit, directions].map((x) => matmul(x, this.#centers).mul(scale).logSoftmax(1)); // (n, K)
    const divergence = wanted!.exp().mul(wanted!.sub(own!)).sum();
    return apart.add(divergence.mul(logits));
  }

  /** (n, D') */
  #directions(indices: Uint32Array): Tensor {
    const { teacher, device = 'cpu' } = this.#parts;
    const { dimension, directions } = teacher;
    const rows = new Float32Array(indices.length * dimension);
    for (const [i, index] of indices.entries())
      rows.set(directions.subarray(index * dimension, (index + 1) * dimension), i * dimension);
    return fromArray(rows, [indices.length, dimension]).to({ device });
  }

  /** L2 norm of P's gradient; not finite if a value is not. */
  gradientNorm(): number {
    return Math.hypot(...this.#optimizer.gradientNorms());
  }

  step(options: StepOptions): void {
    this.#optimizer.step(options);
  }

  /** P, and what the optimizer keeps for it, by names in checkpoints. */
  *named(): IterableIterator<readonly [string, Tensor]> {
    if (this.#projection === undefined) return;
    yield [projectionName, this.#projection];
    yield* keptNamed(projectionName, this.#optimizer, 0);
  }

  /** A checkpoint of a run without a teacher leaves P as it is. */
  restore(tensors: ReadonlyMap<string, StoredTensor>): void {
    for (const [name, tensor] of this.named()) restorePart(tensor, tensors.get(name));
  }
}

/** (D, D'): as a linear layer begins. */
function firstProjection({ dimension, teacher, seed, device = 'cpu' }: DistillationParts): Tensor {
  using all = scope();
  using _ = noGrad();
  const bound = 1 / Math.sqrt(dimension);
  const drawn = zeros([dimension, teacher.dimension]);
  drawn.uniform_({ from: -bound, to: bound, generator: new Generator(seed) });
  const projection = all.keep(device === 'cpu' ? drawn : drawn.to({ device }));
  projection.requiresGrad = true;
  return projection;
}
