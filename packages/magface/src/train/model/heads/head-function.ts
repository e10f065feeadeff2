/**
 * The form of every loss over class centers: from cosines, magnitudes and labels to logits. All class centers in one
 * process, centers split over ranks and Partial FC (parallel/split-head.ts) call the same functions: a function sees this
 * process's columns, and asks the batch for what depends on all of them.
 */
import { type Tensor, where, zeros } from '@magface/torch';

/** Running statistics by name. They change at each step, are saved in checkpoints, and are equal on all ranks. */
export type RunningState = Readonly<Record<string, number>>;

/** What a batch offers. N samples, K_r classes of this process that take part. */
export interface HeadBatch {
  /** (N, K_r): cos θ. */
  readonly cosines: Tensor;
  /** (N, 1) int64: column of the sample's own class; arbitrary if another rank has it. */
  readonly own: Tensor;
  /** (N, 1) bool: whether the own class is here. @default all are */
  readonly isHere: Tensor | undefined;
  /** (N, 1): `cosines` at `own`. */
  readonly plain: Tensor;
  /** (N, 1): ‖f‖, not clamped. */
  readonly magnitudes: Tensor;
  readonly state: RunningState;
  /** (1, K_r): the trained margin of each class, if the head has them. */
  readonly classMargins: Tensor | undefined;
  /** (1): the trained bias, if the head has one. */
  readonly bias: Tensor | undefined;
  /** Number of classes that take part, over all ranks. */
  classCount(): number;
  /** (N, 1): of each sample the value of the rank that has its own class, without gradient. */
  fromOwner(values: Tensor): Tensor;
  /** (N, K_r) to (N, 1): sum over the classes of all ranks, without gradient. */
  sumOverClasses(values: Tensor): Tensor;
  /** (N, 1): standard normal numbers, drawn anew at each step, equal on all ranks. */
  noise(): Tensor;
}

/** The result for a batch. */
export interface HeadTerms {
  /** (N, K_r): times s. */
  readonly logits: Tensor;
  /** (N, 1): the margin of each sample, for display. */
  readonly margins: Tensor;
  /** (N, 1): magnitudes as the loss sees them, for display. @default ‖f‖ */
  readonly magnitudes?: Tensor;
  /** One value: a term of the loss over classes; the parts of all ranks add up. @default none */
  readonly penalty?: Tensor;
  /** The statistics after this batch; they count once the step is done. @default unchanged */
  readonly state?: RunningState;
}

/** A head with its constants. */
export interface HeadFunction {
  /** `softmax`: cross-entropy over all classes. `sigmoid`: one binary cross-entropy for each class, summed. @default 'softmax' */
  readonly over?: 'softmax' | 'sigmoid';
  /** Statistics before the first step. @default none */
  readonly state?: RunningState;
  /** A trained margin for each class: its first value and limits. @default none */
  readonly classMargins?: { readonly initial: number; readonly lower: number; readonly upper: number };
  /** First value of a trained bias. @default none */
  readonly bias?: number;
  /** A term λ · mean_i g(‖f_i‖) of each sample alone. @default none */
  readonly regularizer?: {
    /** λ */
    readonly weight: number;
    /** g: (N, 1) magnitudes, not clamped, to (N, 1). */
    readonly of: (magnitudes: Tensor) => Tensor;
  };
  terms(batch: HeadBatch): HeadTerms;
}

/** Puts the own class's values (N, 1) among the others' (N, K_r), on the rank that has the class. */
export function withOwn({ cosines, own, isHere, plain }: HeadBatch, others: Tensor, target: Tensor): Tensor {
  if (isHere === undefined) return others.scatter(1, own, target);
  const left = others === cosines ? plain : others.gather(1, own); // where another rank has the class
  return others.scatter(1, own, where(isHere, target, left));
}

/** The values (N, K_r) with 0 for the own class. */
export function withoutOwn(batch: HeadBatch, values: Tensor): Tensor {
  return withOwn(batch, values, batch.plain.zerosLike());
}

/** Below this, sin²θ counts as constant: the slope of sqrt is infinite at 0, and infinity times 0 is NaN. */
const leastSquaredSine = 1e-7;

/** cos(θ + m) from cos θ, both (N, 1). @param m - radians: one for all, or (N, 1) */
export function cosPlus(cosine: Tensor, m: number | Tensor): Tensor {
  const cos = cosine.clamp({ min: -1, max: 1 });
  const sin = cos.square().neg().add(1).clamp({ min: leastSquaredSine }).sqrt();
  const [cosM, sinM] = typeof m === 'number' ? [Math.cos(m), Math.sin(m)] : [m.cos(), m.sin()];
  return cos.mul(cosM).sub(sin.mul(sinM));
}

/** (N, 1): the same margin for every sample. */
export function constantMargins({ magnitudes }: HeadBatch, m: number): Tensor {
  return zeros([magnitudes.size(0), 1], { device: magnitudes.device }).add(m);
}
