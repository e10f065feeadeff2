/**
 * Splits class centers over ranks by class, so that any number of classes fits.
 *
 * Every rank gathers the features of the whole batch as a leaf, and computes the logits of its classes with margin by
 * the loss's function; splitSoftmax, or splitSigmoid, gives their gradient. Backward propagates it to the rank's centers
 * and to the leaf. Summed over ranks, the leaf's gradient is that of all classes for each feature, also through m(a) where
 * another rank has the own center. Its rows are then returned to the ranks of their features. The term g(a) depends on one
 * sample only and is added there.
 */
import {
  type Device,
  fromArray,
  Generator,
  gradients,
  matmul,
  noGrad,
  normalize,
  type ProcessGroup,
  type StepOptions,
  scope,
  type Tensor,
  where,
  zeros,
} from '@magface/torch';
import { ConfigError } from '../../errors.ts';
import { float32Tensor, type Tensor as StoredTensor } from '../../format/tensor.ts';
import { type BackwardOptions, centersName, type Head, type HeadLoss, storedTensor } from '../model/head.ts';
import type { HeadBatch, HeadFunction, HeadTerms } from '../model/heads/head-function.ts';
import {
  biasName,
  classMarginsName,
  HeadState,
  limitClassMargins,
  restorePart,
  trainedNumbers,
} from '../model/heads/head-state.ts';
import { normalDraws } from '../model/heads/normal-draws.ts';
import { type LossOptions, openHead } from '../model/heads/open-head.ts';
import { keptNamed, type OptimizerName } from '../model/optimizer.ts';
import { ClassRows } from './class-rows.ts';
import { allClasses, sampleClasses } from './sampled-classes.ts';
import { gatherRows, type Share, shareOf } from './shares.ts';
import { splitSigmoid } from './split-sigmoid.ts';
import { splitSoftmax } from './split-softmax.ts';

export interface SplitHeadOptions {
  readonly loss: LossOptions;
  readonly seed: number;
  /** Device of the centers. @default 'cpu' */
  readonly device?: Device;
  /** Share of classes sampled per step (Partial FC). @default 1 */
  readonly sampleRate?: number;
  /** @default 'sgd' */
  readonly optimizer?: OptimizerName;
  /** ε of the softmax. @default 0 */
  readonly labelSmoothing?: number;
}

/** This rank's part of a batch. */
interface Part {
  /** (K_s, D): the centers that take part. */
  readonly active: Tensor;
  /** (K_s, 1) */
  readonly classMargins: Tensor | undefined;
  readonly isHere: Tensor;
  readonly own: Tensor;
}

export class SplitHead implements Head {
  readonly name: string = centersName;
  readonly isSplit: boolean = true;
  /** (K_r, D): one row per class, so that each center is contiguous. */
  readonly centers: Tensor;
  /** This rank's classes. */
  readonly share: Share;
  readonly #group: ProcessGroup;
  readonly #head: HeadFunction;
  readonly #options: SplitHeadOptions;
  readonly #state: HeadState;
  /** (K_r, 1) */
  readonly #classMargins: Tensor | undefined;
  readonly #bias: Tensor | undefined;
  readonly #trained: ClassRows;

  /** @throws {ConfigError} if there are more ranks than classes: a rank without classes has no logits */
  constructor(group: ProcessGroup, dimension: number, classes: number, options: SplitHeadOptions) {
    if (classes < group.size) {
      throw new ConfigError('nproc', {
        expected: `at most one process for each of the ${classes} classes`,
        problem: `there are ${group.size}`,
        remedy: 'lower --nproc',
      });
    }
    const { device = 'cpu' } = options;
    this.#group = group;
    this.#options = options;
    this.#head = openHead(options.loss, classes);
    this.#state = new HeadState(this.#head);
    this.share = shareOf(classes, group);
    this.centers = initialRows(dimension, this.share, options.seed).to({ device });
    this.centers.requiresGrad = true;
    const { classMargins, bias } = this.#head;
    this.#classMargins = classMargins && trainedNumbers([this.share.count, 1], classMargins.initial, device);
    this.#bias = bias === undefined ? undefined : trainedNumbers([1], bias, device);
    const perClass = present([this.centers, this.#classMargins]);
    this.#trained = new ClassRows({ perClass, shared: present([this.#bias]) }, options.optimizer);
  }

  /** (K_r, D) */
  get velocities(): Tensor {
    return this.#trained.kept[0]![0]!;
  }

  backward(
    features: Tensor,
    labels: Tensor,
    lossScale: number,
    step: number,
    { beside }: BackwardOptions = {},
  ): HeadLoss {
    const total = labels.size(0);
    const mine = shareOf(total, this.#group);
    const whole = gatherRows(this.#group, features.detach(), total); // (N, D)
    whole.requiresGrad = true;
    const part = this.#takePart(labels, step);

    const batch = this.#batch(whole, part, step);
    const terms = this.#head.terms(batch);
    this.#state.stage(terms.state);
    const logits = { ...part, logits: terms.logits, cosines: batch.cosines };
    const entropy =
      this.#head.over === 'sigmoid'
        ? splitSigmoid(this.#group, logits)
        : splitSoftmax(this.#group, logits, this.#options.labelSmoothing);
    terms.logits.backward(entropy.gradient.mul_(lossScale));
    terms.penalty?.mul(lossScale).backward();
    if (this.#bias !== undefined) this.#group.allReduce(this.#bias.grad!);
    const asked = this.#group.allReduce(whole.grad!).narrow(0, mine.first, mine.count); // (n, D)
    const { regularizer } = this.#head;
    const pulled = regularizer === undefined ? asked : asked.add(pull(features, regularizer, lossScale / total));
    features.backward(beside === undefined ? pulled : pulled.add(beside));

    using _ = noGrad();
    const lossG = regularizer?.of(batch.magnitudes).mean().item() ?? 0;
    const { identity: lossId, accuracy } = entropy;
    const loss = lossId + (regularizer?.weight ?? 0) * lossG + this.#penalty(terms);
    const { margins, magnitudes = batch.magnitudes } = terms;
    return { loss, lossId, lossG, accuracy, magnitudes, margins, cosines: entropy.cosines };
  }

  gradientNorm(): number {
    using _ = scope();
    const norms = this.#trained.gradientNorms();
    const perClass = norms.subarray(0, norms.length - (this.#bias === undefined ? 0 : 1));
    const squares = fromArray(Float64Array.of(perClass.reduce((sum, norm) => sum + norm ** 2, 0)));
    const ofBias = this.#bias === undefined ? 0 : norms.at(-1)! ** 2; // equal on all ranks
    return Math.sqrt(this.#group.allReduce(squares).item() + ofBias);
  }

  step(options: StepOptions): void {
    this.#trained.step(options);
    limitClassMargins(this.#classMargins, this.#head);
    this.#state.commit();
  }

  save(): Map<string, StoredTensor> {
    using _ = scope();
    const columns = (rows: Tensor): StoredTensor =>
      float32Tensor([rows.size(1), rows.size(0)], rows.detach().t().contiguous().toArray() as Float32Array);
    const bias = this.#sharedNamed().map(([name, tensor]) => {
      return [name, float32Tensor([1], tensor.detach().toArray() as Float32Array)] as const;
    });
    const split = this.#splitNamed().map(([name, tensor]) => [name, columns(tensor)] as const);
    return new Map([...split, ...bias, ...this.#state.save()]);
  }

  restore(tensors: ReadonlyMap<string, StoredTensor>, file: string): void {
    const { first, count, total } = this.share;
    const ownRows = (stored: Tensor): Tensor => stored.narrow(1, first, count).t();
    for (const [name, tensor] of this.#splitNamed()) {
      const shape = [tensor.size(1), total];
      const isOfAnyLoss = name.endsWith(centersName); // also what the optimizer keeps for them
      const stored = isOfAnyLoss || tensors.has(name) ? storedTensor(tensors, { name, shape, file }) : undefined;
      restorePart(tensor, stored, ownRows);
    }
    for (const [name, tensor] of this.#sharedNamed()) restorePart(tensor, tensors.get(name));
    this.#state.restore(tensors);
  }

  /** This rank's rows, by their names in checkpoints. */
  #splitNamed(): (readonly [string, Tensor])[] {
    const own = [[centersName, this.centers] as const, ...keptNamed(centersName, this.#trained, 0)];
    if (this.#classMargins === undefined) return own;
    return [...own, [classMarginsName, this.#classMargins], ...keptNamed(classMarginsName, this.#trained, 1)];
  }

  #sharedNamed(): (readonly [string, Tensor])[] {
    if (this.#bias === undefined) return [];
    const last = this.#trained.kept[0]!.length - 1;
    return [[biasName, this.#bias], ...keptNamed(biasName, this.#trained, last)];
  }

  #batch(whole: Tensor, { active, classMargins, isHere, own }: Part, step: number): HeadBatch {
    const magnitudes = whole.norm(2, 1, { keepdim: true }); // (N, 1)
    const cosines = matmul(normalize(whole, 1), normalize(active, 1).t()); // (N, K_s)
    const count = whole.size(0);
    return {
      cosines,
      own,
      isHere,
      plain: cosines.gather(1, own),
      magnitudes,
      state: this.#state.values,
      classMargins: classMargins?.t(),
      bias: this.#bias,
      classCount: () => this.#sum(fromArray(Float64Array.of(active.size(0)))).item(),
      fromOwner: (values) => this.#sum(where(isHere, values.detach(), values.zerosLike())),
      sumOverClasses: (values) => this.#sum(values.detach().sumDim([1], { keepdim: true })),
      noise: () => fromArray(normalDraws(this.#options.seed, step, count), [count, 1]).to({ device: whole.device }),
    };
  }

  /** The sum over ranks, without gradient. */
  #sum(values: Tensor): Tensor {
    using _ = noGrad();
    return this.#group.allReduce(values);
  }

  #penalty({ penalty }: HeadTerms): number {
    return penalty === undefined ? 0 : this.#sum(penalty.detach().clone()).item();
  }

  /** Chooses this rank's classes of the step, and finds each sample's own class among them. */
  #takePart(labels: Tensor, step: number): Part {
    const values = labels.toArray() as BigInt64Array;
    const { sampleRate: rate = 1, seed } = this.#options;
    const { rank } = this.#group;
    const { isHere, own, rows } = {
      rows: undefined,
      ...(rate < 1 ? sampleClasses(values, this.share, { rate, seed, rank, step }) : allClasses(values, this.share)),
    };
    const [active, classMargins] = this.#trained.activate(rows) as [Tensor, Tensor?];
    const { device } = active;
    const column = (of: typeof isHere | typeof own): Tensor => fromArray(of, [values.length, 1]);
    return {
      active,
      classMargins,
      isHere: column(isHere).to({ dtype: 'bool', device }),
      own: column(own).to({ device }),
    };
  }
}

const present = (tensors: readonly (Tensor | undefined)[]): Tensor[] =>
  tensors.filter((tensor) => tensor !== undefined);

/** (n, D): the gradient of λ · `factor` · Σ g(a). */
function pull(features: Tensor, { weight, of }: NonNullable<HeadFunction['regularizer']>, factor: number): Tensor {
  const local = features.detach();
  local.requiresGrad = true;
  return gradients(
    of(local.norm(2, 1, { keepdim: true }))
      .sum()
      .mul(weight * factor),
    [local],
  )[0]!;
}

/** (K_r, D): the rank's columns of what one process would draw for all classes, drawn one class at a time. */
function initialRows(dimension: number, { first, count, total }: Share, seed: number): Tensor {
  using all = scope();
  using _ = noGrad();
  const generator = new Generator(seed);
  const columns = zeros([dimension, count]);
  for (let d = 0; d < dimension; d++) {
    using _row = scope();
    const drawn = zeros([total]).uniform_({ from: -1, to: 1, generator });
    columns.narrow(0, d, 1).copy_(drawn.narrow(0, first, count).unsqueeze(0));
  }
  return all.keep(
    columns
      .div(columns.norm(2, 0, { keepdim: true }))
      .t()
      .contiguous(),
  );
}
