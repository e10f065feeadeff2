/** The last layer in training: the class centers, their loss, and their own optimizer. */
import {
  type Device,
  fromArray,
  Generator,
  noGrad,
  type Optimizer,
  type StepOptions,
  scope,
  type Tensor,
  zeros,
} from '@magface/torch';
import { FormatError } from '../../errors.ts';
import { float32Tensor, type Tensor as StoredTensor, toFloat32 } from '../../format/tensor.ts';
import { Ranks } from '../parallel/ranks.ts';
import type { HeadFunction, RunningState } from './heads/head-function.ts';
import {
  biasName,
  classMarginsName,
  HeadState,
  limitClassMargins,
  restorePart,
  trainedNumbers,
} from './heads/head-state.ts';
import type { MagFaceLoss } from './magface-loss.ts';
import { createOptimizer, keptNamed, type OptimizerName } from './optimizer.ts';

/** The loss of a batch. */
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
  /** Rows of the batch that have a cosine, where not all have one. @default all */
  readonly rows?: readonly number[];
}

/** How a backward pass of a head differs. */
export interface BackwardOptions {
  /** Adds to the gradients of the centers instead of replacing them, for a batch in parts. @default false */
  readonly adds?: boolean;
  /** (n, D): gradient of other terms of the features, times the loss scale, to go backward with the head's. @default none */
  readonly beside?: Tensor | undefined;
}

/**
 * Class centers with their loss: all in `WholeHead`, a rank's part in parallel/split-head.ts. `Targets` are the targets of a
 * batch: at least its labels (N) int64.
 */
export interface Head<Targets = Tensor> {
  /** Name of the centers in messages. */
  readonly name: string;
  /** Whether each rank has its own part of the centers. */
  readonly isSplit: boolean;
  /** This process's centers: (D, K), or a rank's (K_r, D). */
  readonly centers: Tensor;
  /**
   * Computes the loss of a batch, and runs backward through features and centers.
   *
   * @param features - (n, D) float32: this process's part of the batch
   * @param targets - those of the whole batch
   * @param lossScale - factor on the gradients
   * @param step - steps done so far, for sampling anew each step
   * @param more - see {@link BackwardOptions}
   */
  backward(features: Tensor, targets: Targets, lossScale: number, step: number, more?: BackwardOptions): HeadLoss;
  /** L2 norm of the centers' gradient over all ranks; not finite if any value is not. */
  gradientNorm(): number;
  /** Takes a step of the optimizer. */
  step(options: StepOptions): void;
  /** Centers of this process, with what the optimizer keeps for them, (D, K) or a part of its columns, by their names in checkpoints. */
  save(): Map<string, StoredTensor>;
  /** Restores the whole's. @param file - for errors */
  restore(tensors: ReadonlyMap<string, StoredTensor>, file: string): void;
}

/** Name in checkpoints, of (D, K), as the official single-process trainer has it. */
export const centersName = 'fc.weight';

/** The terms of a batch's loss, one value each, and its statistics. */
export interface BatchLoss extends Pick<MagFaceLoss, 'total' | 'identity' | 'regularizer' | 'margins' | 'magnitudes'> {
  /** (M, K): cos θ of the rows that have a label. */
  readonly cosines: Tensor;
  /** (M) int64 */
  readonly labels: Tensor;
  /** Which rows these are. @default all: M = N */
  readonly rows?: readonly number[];
  /** Running statistics after the batch. @default unchanged */
  readonly state?: RunningState;
}

/** What a loss may need beside features, centers and targets. */
export interface HeadNumbers {
  readonly state: RunningState;
  /** (1, K) */
  readonly classMargins: Tensor | undefined;
  /** (1) */
  readonly bias: Tensor | undefined;
  /** Steps done so far. */
  readonly step: number;
}

/** A head's loss. @param features - (N, D): the whole batch @param centers - (D, K) */
export type LossOf<Targets> = (features: Tensor, centers: Tensor, targets: Targets, numbers: HeadNumbers) => BatchLoss;

export interface WholeHeadOptions<Targets> {
  readonly loss: LossOf<Targets>;
  /** Whose statistics and trained numbers the head keeps for the loss. @default one that has none */
  readonly keeps?: HeadFunction;
  /** Name in checkpoints. @default the official one */
  readonly name?: string;
  /** Whether weight decay applies to centers, as officially. @default true */
  readonly decays?: boolean;
  /** Each has all centers, and computes the loss of the whole batch. @default none */
  readonly ranks?: Ranks | undefined;
  /** @default 'sgd' */
  readonly optimizer?: OptimizerName | undefined;
}

/** All class centers in one process. */
export class WholeHead<Targets> implements Head<Targets> {
  readonly name: string;
  readonly isSplit: boolean = false;
  /** (D, K) */
  readonly centers: Tensor;
  readonly optimizer: Optimizer;
  readonly #options: WholeHeadOptions<Targets>;
  readonly #ranks: Ranks;
  readonly #state: HeadState;
  readonly #classMargins: Tensor | undefined;
  readonly #bias: Tensor | undefined;

  /** @param centers - (D, K): initial values; a trainable leaf */
  constructor(centers: Tensor, options: WholeHeadOptions<Targets>) {
    const { classMargins, bias, state } = options.keeps ?? {};
    const { device } = centers;
    this.name = options.name ?? centersName;
    this.centers = centers;
    this.#classMargins = classMargins && trainedNumbers([1, centers.size(1)], classMargins.initial, device);
    this.#bias = bias === undefined ? undefined : trainedNumbers([1], bias, device);
    this.#state = new HeadState({ ...(state && { state }) });
    this.#options = options;
    this.#ranks = options.ranks ?? new Ranks();
    const trained = [centers, this.#classMargins, this.#bias].filter((tensor) => tensor !== undefined);
    this.optimizer = createOptimizer(options.optimizer ?? 'sgd', trained);
  }

  backward(features: Tensor, targets: Targets, lossScale: number, step: number, more: BackwardOptions = {}): HeadLoss {
    if (more.adds !== true) this.optimizer.zeroGrad();
    const share = this.#ranks.place(features.size(0));
    const whole = this.#ranks.gather(features.detach(), share); // (N, D)
    whole.requiresGrad = true;
    const numbers = { state: this.#state.values, classMargins: this.#classMargins, bias: this.#bias, step };
    const loss = this.#options.loss(whole, this.centers, targets, numbers);
    const { total, identity, regularizer, labels, state, ...parts } = loss;
    this.#state.stage(state);
    (lossScale === 1 ? total : total.mul(lossScale)).backward();
    const own = whole.grad!.narrow(0, share.first, share.count);
    features.backward(more.beside === undefined ? own : own.add(more.beside));
    using _ = noGrad();
    const cosines = parts.cosines.gather(1, labels.unsqueeze(1)); // (M, 1)
    const accuracy = parts.cosines.argmax({ dim: 1 }).eq(labels).to({ dtype: 'float32' }).mean().item();
    return { ...parts, cosines, accuracy, loss: total.item(), lossId: identity.item(), lossG: regularizer.item() };
  }

  gradientNorm(): number {
    return Math.hypot(...this.optimizer.gradientNorms());
  }

  step(options: StepOptions): void {
    this.optimizer.step(this.#options.decays === false ? { ...options, weightDecay: 0 } : options);
    limitClassMargins(this.#classMargins, this.#options.keeps);
    this.#state.commit();
  }

  save(): Map<string, StoredTensor> {
    return new Map([...storeAll([...this.#named(), ...this.#extras()]), ...this.#state.save()]);
  }

  restore(tensors: ReadonlyMap<string, StoredTensor>, file: string): void {
    restoreAll(this.#named(), tensors, file);
    for (const [name, tensor] of this.#extras()) restorePart(tensor, tensors.get(name));
    this.#state.restore(tensors);
  }

  #named(): (readonly [string, Tensor])[] {
    return [[this.name, this.centers], ...keptNamed(this.name, this.optimizer, 0)];
  }

  /** The trained numbers beside the centers, with what the optimizer keeps for them. */
  #extras(): (readonly [string, Tensor])[] {
    const names = [this.#classMargins && classMarginsName, this.#bias && biasName].filter((name) => name !== undefined);
    return names.flatMap((name, i) => [
      [name, this.optimizer.parameters[i + 1]!] as const,
      ...keptNamed(name, this.optimizer, i + 1),
    ]);
  }
}

/** Tensors with their names in checkpoints. */
export type StateTensors = Iterable<readonly [string, Tensor]>;

export const storeAll = (named: StateTensors): Map<string, StoredTensor> =>
  new Map(Array.from(named, ([name, tensor]) => [name, float32Tensor(tensor.shape, tensor.toArray() as Float32Array)]));

/** Restores the result of {@link storeAll}. @param file - for errors */
export function restoreAll(named: StateTensors, tensors: ReadonlyMap<string, StoredTensor>, file: string): void {
  using _scope = scope();
  using _noGrad = noGrad();
  for (const [name, tensor] of named) {
    const { shape } = tensor;
    tensor.copy_(fromArray(toFloat32(storedTensor(tensors, { name, shape, file })), shape));
  }
}

/** A tensor of a checkpoint. @throws {FormatError} if it is missing or of another shape */
export function storedTensor(
  tensors: ReadonlyMap<string, StoredTensor>,
  wanted: { readonly name: string; readonly shape: readonly number[]; readonly file: string },
): StoredTensor {
  const { name, shape, file } = wanted;
  const value = tensors.get(name);
  if (value?.shape.join() === shape.join()) return value!;
  const received = value === undefined ? 'there is none' : `it is (${value.shape.join(', ')})`;
  throw new FormatError(file, {
    expected: `${name} of shape (${shape.join(', ')})`,
    problem: received,
    remedy: 'use the arch and the classes it was trained with',
  });
}

/** The official start: uniform in (-1, 1), then every class column of length one. */
export function initialCenters(
  [dimension, classes]: readonly [dimension: number, classes: number],
  { seed, device = 'cpu' }: { readonly seed: number; readonly device?: Device | undefined },
): Tensor {
  using all = scope();
  using _ = noGrad();
  const raw = zeros([dimension, classes]).uniform_({ from: -1, to: 1, generator: new Generator(seed) });
  const columns = raw.div(raw.norm(2, 0, { keepdim: true })).contiguous();
  const centers = all.keep(device === 'cpu' ? columns : columns.to({ device }));
  centers.requiresGrad = true;
  return centers;
}
