/**
 * A training step, common to layered networks and graphs from ONNX files, and the exact saving and restoring of all state
 * that a step changes.
 */
import { cat, fromArray, noGrad, Sgd, scope, type Tensor } from '@magface/torch';
import { type Head, type HeadLoss, restoreAll, type StateTensors, storeAll } from '../model/head.ts';
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
  /** μ of SGD. `--momentum` @default 0.9 */
  readonly momentum?: number;
  /** Applies to all parameters, as officially. `--wd` @default 5e-4 */
  readonly weightDecay?: number;
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
}

/** The inputs of a step. */
export interface StepParts<Targets> {
  /** @returns (n, D) float32: the features of this process's share of the batch */
  readonly forward: () => Tensor;
  /** Targets of the whole batch. */
  readonly targets: Targets;
  readonly share: Share;
}

/** A network and its class centers, trained batch by batch. */
export abstract class Learner<Targets> {
  readonly head: Head<Targets>;
  readonly ranks: Ranks;
  readonly #rules: LearningRules;
  /** State that a training pass changes besides weights. */
  readonly statistics: readonly Tensor[];
  readonly #counter: { batches: number };
  readonly #groups: readonly { readonly rate: number; readonly names: readonly string[]; readonly sgd: Sgd }[];

  protected constructor(parts: LearnerParts<Targets>, rules: LearningRules) {
    const { head, groups, statistics, counter = { batches: 0 } } = parts;
    this.head = head;
    this.ranks = rules.ranks ?? new Ranks();
    this.#rules = rules;
    this.statistics = statistics;
    this.#counter = counter;
    this.#groups = groups.map(({ rate, weights }) => {
      return { rate, names: [...weights.keys()], sgd: new Sgd([...weights.values()]) };
    });
  }

  /** This process's centers: (D, K), or a rank's (K_r, D). */
  get centers(): Tensor {
    return this.head.centers;
  }

  /** One optimizer per group of weights. */
  protected get optimizers(): readonly Sgd[] {
    return this.#groups.map(({ sgd }) => sgd);
  }

  /** SGD velocities, by the names of the weights. */
  get velocities(): ReadonlyMap<string, Tensor> {
    return new Map(
      this.#groups.flatMap(({ names, sgd }) => names.map((name, i) => [name, sgd.velocities[i]!] as const)),
    );
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
    const { momentum = 0.9, weightDecay = 5e-4, clip = Number.POSITIVE_INFINITY, lossScale } = this.#rules;
    const { batches } = this.#counter;
    const before = this.statistics.map((tensor) => tensor.clone());
    for (const { sgd } of this.#groups) sgd.zeroGrad();
    const scale = (lossScale?.value ?? 1) * parts.length; // gradients of the parts are added, and the mean is wanted
    const done = parts.map((part, i) => this.#backward(part, lossScale?.value ?? 1, { of: parts.length, adds: i > 0 }));
    const loss = joined(done.map((part) => part.loss));
    const features = done.length === 1 ? done[0]!.features : cat(done.map((part) => part.features.detach()));
    const [{ share }] = parts as readonly [StepParts<Targets>];

    const own = this.#groups.flatMap(({ sgd }) => Array.from(sgd.gradientNorms(), (norm) => norm / scale));
    const values = [...own, this.head.gradientNorm() / scale];
    const names = [...this.#groups.flatMap((group) => group.names), this.head.name];
    const firstOfBatch = (row: number | undefined): number | undefined =>
      this.ranks.least(row === undefined ? undefined : share.first + row);
    const norms = new Map(names.map((name, i) => [name, values[i]!]));
    const skipped = whyNotFinite({ loss: loss.loss, norms, features, firstOfBatch });
    using _noGrad = noGrad();
    if (skipped === undefined) {
      const settings = { momentum, weightDecay };
      const gradientScale = Math.min(1, clip / Math.hypot(...own)) / scale;
      for (const { rate, sgd } of this.#groups) sgd.step({ ...settings, lr: lr * rate, gradientScale });
      this.head.step({ ...settings, lr, gradientScale: 1 / scale });
    } else {
      for (const [i, tensor] of this.statistics.entries()) tensor.copy_(before[i]!);
      this.#counter.batches = batches;
    }
    lossScale?.update(skipped !== undefined);
    const { loss: total, lossId, lossG, accuracy, magnitudes, margins, cosines, rows } = loss;
    const { device } = magnitudes;
    const told = rows && magnitudes.indexSelect(0, fromArray(BigInt64Array.from(rows, BigInt)).to({ device }));
    return {
      loss: total,
      lossId,
      lossG,
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
    { forward, targets }: StepParts<Targets>,
    lossScale: number,
    { of, adds }: { readonly of: number; readonly adds: boolean },
  ) {
    // A head that samples classes needs its sampled rows until the step, so a single part frees nothing.
    using part = of > 1 ? scope() : undefined;
    const features = forward();
    part?.keep(features);
    const loss = this.ranks.sumGradients(
      this.#groups.flatMap(({ sgd }) => sgd.parameters),
      () => this.head.backward(features, targets, lossScale, this.#counter.batches, adds),
    );
    for (const tensor of [loss.magnitudes, loss.margins, loss.cosines]) part?.keep(tensor);
    return { features, loss };
  }

  /** Returns all state needed to resume, except for the position in the run. */
  save(state: Readonly<Record<string, unknown>>): CheckpointContent {
    const { lossScale } = this.#rules;
    const scale = lossScale === undefined ? {} : { lossScale: lossScale.state };
    return { tensors: new Map([...storeAll(this.named()), ...this.head.save()]), state: { ...scale, ...state } };
  }

  /** Restores the result of {@link Learner.save}. @param file - for errors */
  restore({ tensors, state }: CheckpointContent, file: string): void {
    restoreAll(this.named(), tensors, file);
    this.head.restore(tensors, file);
    const { lossScale } = state as { readonly lossScale?: LossScaleState };
    if (this.#rules.lossScale !== undefined && lossScale !== undefined) this.#rules.lossScale.state = lossScale;
  }
}

/** The loss of a batch from those of its equal parts. */
function joined(parts: readonly HeadLoss[]): HeadLoss {
  const [first] = parts as readonly [HeadLoss];
  if (parts.length === 1) return first;
  const mean = (key: 'loss' | 'lossId' | 'lossG' | 'accuracy'): number =>
    parts.reduce((sum, part) => sum + part[key], 0) / parts.length;
  const all = (key: 'magnitudes' | 'margins' | 'cosines'): Tensor => cat(parts.map((part) => part[key].detach()));
  return {
    ...{ loss: mean('loss'), lossId: mean('lossId'), lossG: mean('lossG'), accuracy: mean('accuracy') },
    ...{ magnitudes: all('magnitudes'), margins: all('margins'), cosines: all('cosines') },
  };
}
