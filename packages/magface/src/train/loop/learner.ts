/**
 * A step of training, the same for a network of layers and for a graph from an ONNX file; and all state that a step changes,
 * out and in again, exactly.
 */
import { fromArray, noGrad, Sgd, scope, type Tensor } from '@magface/torch';
import { type Head, type NamedTensors, restoreAll, storeAll } from '../model/head.ts';
import { Ranks } from '../parallel/ranks.ts';
import type { Share } from '../parallel/shares.ts';
import type { CheckpointContent } from './checkpoint-file.ts';
import type { LossScale, LossScaleState } from './loss-scale.ts';
import { type SkippedStep, whyNotFinite } from './skipped-steps.ts';

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

/** By which rules weights change. */
export interface LearningRules {
  /** μ of SGD. `--momentum` @default 0.9 */
  readonly momentum?: number;
  /** On every parameter, as officially. `--wd` @default 5e-4 */
  readonly weightDecay?: number;
  /** Greatest length of the network's gradient; a longer one is shortened to it. `--clip` @default none */
  readonly clip?: number;
  /** Keeps small gradients from vanishing in fp16. @default none */
  readonly lossScale?: LossScale;
  /** The processes that train together, each on its part of the batch. @default none */
  readonly ranks?: Ranks;
}

/** Weights that learn at one rate. */
export interface WeightGroup {
  /** What the learning rate is multiplied by. */
  readonly rate: number;
  /** By their names in messages. */
  readonly weights: ReadonlyMap<string, Tensor>;
}

/** What learns. */
export interface LearnerParts<Targets> {
  readonly head: Head<Targets>;
  /** Of the network; the head has its own. */
  readonly groups: readonly WeightGroup[];
  /** What a pass in training changes beside the weights. */
  readonly statistics: readonly Tensor[];
  /** Passes so far. @default nobody counts */
  readonly counter?: { batches: number };
}

/** What a step is made of. */
export interface StepParts<Targets> {
  /** @returns (n, D) float32: the features of this process's share of the batch */
  readonly forward: () => Tensor;
  /** Of the whole batch. */
  readonly targets: Targets;
  readonly share: Share;
}

/** A network and its centers, which learn batch by batch. */
export abstract class Learner<Targets> {
  readonly head: Head<Targets>;
  readonly ranks: Ranks;
  readonly #rules: LearningRules;
  /** What a pass in training changes beside the weights. */
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

  /** Of this process: (D, K), or a rank's (K_r, D). */
  get centers(): Tensor {
    return this.head.centers;
  }

  /** One for each group of weights. */
  protected get optimizers(): readonly Sgd[] {
    return this.#groups.map(({ sgd }) => sgd);
  }

  /** Of SGD, by the names of the weights. */
  get velocities(): ReadonlyMap<string, Tensor> {
    return new Map(
      this.#groups.flatMap(({ names, sgd }) => names.map((name, i) => [name, sgd.velocities[i]!] as const)),
    );
  }

  /** All that a step changes beside the head, by its names in checkpoints. */
  protected abstract named(): NamedTensors;

  /** One step of SGD. A loss or gradient that is not finite leaves every weight and statistic as it was. */
  protected learnFrom(parts: StepParts<Targets>, lr: number): StepResult {
    return this.ranks.run(() => this.#learnFrom(parts, lr));
  }

  #learnFrom({ forward, targets, share }: StepParts<Targets>, lr: number): StepResult {
    using _step = scope();
    const { momentum = 0.9, weightDecay = 5e-4, clip = Number.POSITIVE_INFINITY, lossScale } = this.#rules;
    const { batches } = this.#counter;
    const before = this.statistics.map((tensor) => tensor.clone());
    for (const { sgd } of this.#groups) sgd.zeroGrad();
    const features = forward();
    const scale = lossScale?.value ?? 1;
    const loss = this.ranks.sumGradients(
      this.#groups.flatMap(({ sgd }) => sgd.parameters),
      () => this.head.backward(features, targets, scale, this.#counter.batches),
    );

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

  /** All that another process needs to go on, beside where the run is. */
  save(state: Readonly<Record<string, unknown>>): CheckpointContent {
    const { lossScale } = this.#rules;
    const scale = lossScale === undefined ? {} : { lossScale: lossScale.state };
    return { tensors: new Map([...storeAll(this.named()), ...this.head.save()]), state: { ...scale, ...state } };
  }

  /** Takes over what {@link Learner.save} gave. @param file - for errors */
  restore({ tensors, state }: CheckpointContent, file: string): void {
    restoreAll(this.named(), tensors, file);
    this.head.restore(tensors, file);
    const { lossScale } = state as { readonly lossScale?: LossScaleState };
    if (this.#rules.lossScale !== undefined && lossScale !== undefined) this.#rules.lossScale.state = lossScale;
  }
}
