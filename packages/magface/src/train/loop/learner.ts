/**
 * A training step, common to layered networks and graphs from ONNX files, and the exact saving and restoring of all state
 * that a step changes.
 */
import { cat, fromArray, noGrad, type Optimizer, type StepOptions, scope, type Tensor } from '@magface/torch';
import { ConfigError } from '../../errors.ts';
import type { Distillation } from '../model/distillation.ts';
import { type Head, type HeadLoss, restoreAll, type StateTensors, storeAll } from '../model/head.ts';
import { createOptimizer, type DecayGroup, decayGroups, keptNamed, type OptimizerName } from '../model/optimizer.ts';
import { Ranks } from '../parallel/ranks.ts';
import type { Share } from '../parallel/shares.ts';
import type { CheckpointContent } from './checkpoint-file.ts';
import type { LossScale, LossScaleState } from './loss-scale.ts';
import { type SkippedStep, whyNotFinite } from './skipped-steps.ts';

/** The result of one step. */
export interface StepResult {
  readonly loss: number;
  readonly lossId: number;
  /** Mean g(a), without λ_g. */
  readonly lossG: number;
  /** The terms of the teacher; only with one. */
  readonly lossTeacher?: number;
  /** Share of the batch whose nearest center, without margin, is its own. */
  readonly accuracy: number;
  /** Mean of ‖f‖ clamped to [l_a, u_a]. */
  readonly magnitudeMean: number;
  readonly magnitudeMin: number;
  readonly magnitudeMax: number;
  readonly marginMean: number;
  /** L2 norm over all gradients. */
  readonly gradientNorm: number;
  /** Why the step was skipped; undefined if all was finite. */
  readonly skipped: SkippedStep | undefined;
  /** Rows of the batch that the next two cover. @default all N */
  readonly rows?: readonly number[];
  /** (N): a of each sample. */
  readonly magnitudes: Float32Array;
  /** (N): cos θ of each sample with its own center. */
  readonly targetCosines: Float32Array;
}

/** Rules for updating the weights. */
export interface LearningRules {
  /** `--optimizer` @default 'sgd' */
  readonly optimizer?: OptimizerName;
  /** μ of SGD, β₁ of AdamW. `--momentum` @default 0.9 */
  readonly momentum?: number;
  /** β₂ of AdamW. `--beta2` @default 0.999 */
  readonly beta2?: number;
  /** `--wd` @default 5e-4 */
  readonly weightDecay?: number;
  /**
   * Whether that also applies to biases, normalisation and other vectors of the network, as officially; without, those are as
   * timm leaves them. `--decay-bias-and-norm` @default true
   */
  readonly decayBiasAndNorm?: boolean;
  /** Maximum norm of the network's gradient; longer ones are scaled down to it. `--clip` @default none */
  readonly clip?: number;
  /** Keeps small gradients from vanishing in fp16. @default none */
  readonly lossScale?: LossScale;
  /** The processes that train together, each on its share of the batch. @default none */
  readonly ranks?: Ranks;
}

/** Weights with the same learning rate. */
export interface WeightGroup {
  /** Factor on the learning rate. */
  readonly rate: number;
  /** Weights by their names in messages. */
  readonly weights: ReadonlyMap<string, Tensor>;
}

/** The parts of a learner. */
export interface LearnerParts<Targets> {
  readonly head: Head<Targets>;
  /** Weights of the network; the head updates its own. */
  readonly groups: readonly WeightGroup[];
  /** State that a training pass changes besides weights. */
  readonly statistics: readonly Tensor[];
  /** Number of passes so far. @default not counted */
  readonly counter?: { batches: number };
  /** What the network learns from a teacher. @default none */
  readonly distillation?: Distillation | undefined;
}

/** The inputs of a step. */
export interface StepParts<Targets> {
  /** @returns (n, D) float32: the features of this process's share of the batch */
  readonly forward: () => Tensor;
  /** Targets of the whole batch. */
  readonly targets: Targets;
  readonly share: Share;
  /** (n): which training faces these are, if there is a teacher. */
  readonly indices?: Uint32Array | undefined;
}

/** A network and its class centers, trained batch by batch. */
export abstract class Learner<Targets> {
  readonly head: Head<Targets>;
  readonly ranks: Ranks;
  readonly #rules: LearningRules;
  /** State that a training pass changes besides weights. */
  readonly statistics: readonly Tensor[];
  readonly #counter: { batches: number };
  readonly #distillation: Distillation | undefined;
  readonly #groups: readonly {
    readonly rate: number;
    readonly decays: boolean;
    readonly names: readonly string[];
    readonly optimizer: Optimizer;
  }[];
  /** Steps that changed the weights; AdamW corrects its means by it. */
  #updates = 0;

  protected constructor(parts: LearnerParts<Targets>, rules: LearningRules) {
    const { head, groups, statistics, distillation, counter = { batches: 0 } } = parts;
    this.head = head;
    this.ranks = rules.ranks ?? new Ranks();
    this.#rules = rules;
    this.statistics = statistics;
    this.#counter = counter;
    this.#distillation = distillation;
    const parted = (weights: WeightGroup['weights']): readonly DecayGroup[] =>
      rules.decayBiasAndNorm === false ? decayGroups(weights) : [{ decays: true, weights }];
    this.#groups = groups.flatMap(({ rate, weights: all }) =>
      parted(all).map(({ decays, weights }) => {
        const optimizer = createOptimizer(this.optimizerName, [...weights.values()]);
        return { rate, decays, names: [...weights.keys()], optimizer };
      }),
    );
  }

  /** This process's centers: (D, K), or a rank's (K_r, D). */
  get centers(): Tensor {
    return this.head.centers;
  }

  get optimizerName(): OptimizerName {
    return this.#rules.optimizer ?? 'sgd';
  }

  /** One optimizer per group of weights; those that do not decay are groups of their own. */
  protected get optimizers(): readonly Optimizer[] {
    return this.#groups.map(({ optimizer }) => optimizer);
  }

  /** What the optimizers keep, by names in checkpoints. @param prefix - before the names of the weights */
  protected *keptBy(prefix: string): IterableIterator<readonly [string, Tensor]> {
    for (const { names, optimizer } of this.#groups)
      for (const [i, name] of names.entries()) yield* keptNamed(`${prefix}${name}`, optimizer, i);
  }

  /** All state that a step changes outside the head, by its names in checkpoints. */
  protected abstract named(): StateTensors;

  /**
   * Takes one step. Changes no weight or statistic if a loss or gradient is not finite.
   *
   * @param parts - one batch: the whole of it, or equal pieces whose gradients are added, so that memory holds the
   * activations of one piece at a time
   */
  protected learnFrom(parts: StepParts<Targets> | readonly StepParts<Targets>[], lr: number): StepResult {
    return this.ranks.run(() => this.#learnFrom([parts].flat() as readonly StepParts<Targets>[], lr));
  }

  #learnFrom(parts: readonly StepParts<Targets>[], lr: number): StepResult {
    using _step = scope();
    const {
      momentum = 0.9,
      beta2 = 0.999,
      weightDecay = 5e-4,
      clip = Number.POSITIVE_INFINITY,
      lossScale,
    } = this.#rules;
    const { batches } = this.#counter;
    const before = this.statistics.map((tensor) => tensor.clone());
    for (const { optimizer } of this.#groups) optimizer.zeroGrad();
    const scale = (lossScale?.value ?? 1) * parts.length; // gradients of the parts are added, and the mean is wanted
    const done = parts.map((part, i) => this.#backward(part, lossScale?.value ?? 1, { of: parts.length, adds: i > 0 }));
    const loss = joined(done.map((part) => part.loss));
    const features = done.length === 1 ? done[0]!.features : cat(done.map((part) => part.features.detach()));
    const [{ share }] = parts as readonly [StepParts<Targets>];

    const own = this.optimizers.flatMap((one) => Array.from(one.gradientNorms(), (norm) => norm / scale));
    const others = [this.head, ...(this.#distillation === undefined ? [] : [this.#distillation])];
    const values = [...own, ...others.map((one) => one.gradientNorm() / scale)];
    const names = [...this.#groups.flatMap((group) => group.names), ...others.map(({ name }) => name)];
    const firstOfBatch = (row: number | undefined): number | undefined =>
      this.ranks.least(row === undefined ? undefined : share.first + row);
    const norms = new Map(names.map((name, i) => [name, values[i]!]));
    const skipped = whyNotFinite({ loss: loss.loss, norms, features, firstOfBatch });
    using _noGrad = noGrad();
    if (skipped === undefined) {
      const settings = { momentum, beta2, weightDecay, step: ++this.#updates };
      const gradientScale = Math.min(1, clip / Math.hypot(...own)) / scale;
      for (const { rate, decays, optimizer } of this.#groups) {
        const own: StepOptions = { ...settings, lr: lr * rate, gradientScale };
        optimizer.step(decays ? own : { ...own, weightDecay: 0 });
      }
      for (const one of others) one.step({ ...settings, lr, gradientScale: 1 / scale });
    } else {
      for (const [i, tensor] of this.statistics.entries()) tensor.copy_(before[i]!);
      this.#counter.batches = batches;
    }
    lossScale?.update(skipped !== undefined);
    const { loss: total, lossId, lossG, lossTeacher, accuracy, magnitudes, margins, cosines, rows } = loss;
    const { device } = magnitudes;
    const told = rows && magnitudes.indexSelect(0, fromArray(BigInt64Array.from(rows, BigInt)).to({ device }));
    return {
      loss: total,
      lossId,
      lossG,
      ...(lossTeacher !== undefined && { lossTeacher }),
      accuracy,
      magnitudeMean: magnitudes.mean().item(),
      magnitudeMin: magnitudes.min().item(),
      magnitudeMax: magnitudes.max().item(),
      marginMean: margins.mean().item(),
      gradientNorm: Math.hypot(...values),
      skipped,
      ...(rows && { rows }),
      magnitudes: (told ?? magnitudes).toArray() as Float32Array,
      targetCosines: cosines.toArray() as Float32Array,
    };
  }

  /**
   * @param of - number of parts; several parts are freed one after another
   * @param adds - to the gradients of the parts before
   */
  #backward(
    { forward, targets, share, indices }: StepParts<Targets>,
    lossScale: number,
    { of, adds }: { readonly of: number; readonly adds: boolean },
  ) {
    // A head that samples classes needs its sampled rows until the step, so a single part frees nothing.
    using part = of > 1 ? scope() : undefined;
    const features = forward();
    part?.keep(features);
    const place = { total: share.total / of, lossScale, adds };
    const taught = indices && this.#distillation?.pull(features, indices, place);
    const own = this.ranks.sumGradients(
      this.optimizers.flatMap(({ parameters }) => parameters),
      () => this.head.backward(features, targets, lossScale, this.#counter.batches, { adds, beside: taught?.gradient }),
    );
    const loss = taught === undefined ? own : { ...own, loss: own.loss + taught.value, lossTeacher: taught.value };
    for (const tensor of [loss.magnitudes, loss.margins, loss.cosines]) part?.keep(tensor);
    return { features, loss };
  }

  /** Returns all state needed to resume, except for the position in the run. */
  save(state: Readonly<Record<string, unknown>>): CheckpointContent {
    const { lossScale } = this.#rules;
    const scale = lossScale === undefined ? {} : { lossScale: lossScale.state };
    const adamw = this.optimizerName === 'sgd' ? {} : { optimizer: this.optimizerName, updates: this.#updates };
    return {
      tensors: new Map([...storeAll(this.named()), ...this.head.save()]),
      state: { ...scale, ...adamw, ...state },
    };
  }

  /** Restores the result of {@link Learner.save}. @param file - for errors */
  restore({ tensors, state }: CheckpointContent, file: string): void {
    const { optimizer = 'sgd', updates = 0 } = state as { readonly optimizer?: string; readonly updates?: number };
    if (optimizer !== this.optimizerName)
      throw new ConfigError('optimizer', {
        expected: `--optimizer ${optimizer}, as in ${file}`,
        received: this.optimizerName,
        remedy: 'change it, or begin a run from these weights with --init',
      });
    this.#updates = updates;
    restoreAll(this.named(), tensors, file);
    this.head.restore(tensors, file);
    const { lossScale } = state as { readonly lossScale?: LossScaleState };
    if (this.#rules.lossScale !== undefined && lossScale !== undefined) this.#rules.lossScale.state = lossScale;
  }
}

/** With the terms of the teacher. */
interface PartLoss extends HeadLoss {
  readonly lossTeacher?: number;
}

/** The loss of a batch from those of its equal parts. */
function joined(parts: readonly PartLoss[]): PartLoss {
  const [first] = parts as readonly [PartLoss];
  if (parts.length === 1) return first;
  const mean = (key: 'loss' | 'lossId' | 'lossG' | 'accuracy' | 'lossTeacher'): number =>
    parts.reduce((sum, part) => sum + part[key]!, 0) / parts.length;
  const all = (key: 'magnitudes' | 'margins' | 'cosines'): Tensor => cat(parts.map((part) => part[key].detach()));
  return {
    ...{ loss: mean('loss'), lossId: mean('lossId'), lossG: mean('lossG'), accuracy: mean('accuracy') },
    ...(first.lossTeacher !== undefined && { lossTeacher: mean('lossTeacher') }),
    ...{ magnitudes: all('magnitudes'), margins: all('margins'), cosines: all('cosines') },
  };
}
