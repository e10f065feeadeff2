/**
 * Cross-entropy over classes that are split over ranks. Its gradient has a closed form, so autograd need not cross
 * processes:
 *
 *     L = mean_i (log Σ_k e^{z_ik} − Σ_k q_ik z_ik),     ∂L/∂z_ik = (e^{z_ik} / Σ_k e^{z_ik} − q_ik) / N
 *     q_ik = (1 − ε) [k = y_i] + ε / K,     ε: label smoothing, usually 0
 *
 * The maximum logit and the sums over k span all ranks: two collectives of a few numbers per sample.
 */
import { cat, noGrad, type ProcessGroup, scope, type Tensor, where } from '@magface/torch';

/** Logits of this rank's classes. */
export interface SplitLogits {
  /** (N, K_r): with the margin, times s. */
  readonly logits: Tensor;
  /** (N, K_r): cos θ without margin. */
  readonly cosines: Tensor;
  /** (N, 1) bool: whether the sample's own class is among the columns. */
  readonly isHere: Tensor;
  /** (N, 1) int64: its column; arbitrary if it is not here. */
  readonly own: Tensor;
}

/** Equal on every rank, except for the gradient. */
export interface SplitSoftmax {
  /** L. */
  readonly identity: number;
  /** (N, K_r): ∂L/∂z of this rank's columns. */
  readonly gradient: Tensor;
  /** (N, 1): cos θ of each sample with its own center. */
  readonly cosines: Tensor;
  /** Share of samples whose own center is the nearest. */
  readonly accuracy: number;
}

type Columns = [Tensor, Tensor, Tensor, Tensor, Tensor];

/** @param labelSmoothing - ε */
export function splitSoftmax(
  group: ProcessGroup,
  { logits, cosines, isHere, own }: SplitLogits,
  labelSmoothing = 0,
): SplitSoftmax {
  using all = scope();
  using _ = noGrad();
  const greatest = (x: Tensor): Tensor => x.amax({ dim: 1, keepdim: true });
  const ofOwn = (x: Tensor): Tensor => where(isHere, x.gather(1, own), x.narrow(1, 0, 1).mul(0)); // (N, 1), 0 elsewhere

  const tops = group.allReduce(cat([greatest(logits), greatest(cosines)], { dim: 1 }), 'max'); // (N, 2)
  const [top, nearest] = [tops.narrow(1, 0, 1), tops.narrow(1, 1, 1)];
  const exp = logits.sub(top).exp(); // (N, K_r)
  const sum = (x: Tensor): Tensor => x.sumDim([1], { keepdim: true });
  const parts = [sum(exp), ofOwn(logits), ofOwn(cosines), sum(logits), sum(logits.onesLike())];
  const sums = group.allReduce(cat(parts, { dim: 1 }));
  const [total, target, cosine, everything, classes] = parts.map((_, i) => sums.narrow(1, i, 1)) as Columns;
  const meant = target.mul(1 - labelSmoothing).add(everything.div(classes).mul(labelSmoothing)); // Σ_k q_k z_k

  const gradient = exp.div_(total); // (N, K_r)
  if (labelSmoothing > 0) gradient.add_(classes.reciprocal().mul(-labelSmoothing));
  const atOwn = gradient.gather(1, own).sub(isHere.to({ dtype: gradient.dtype }).mul(1 - labelSmoothing));
  return {
    identity: total
      .log()
      .add(top)
      .sub(labelSmoothing > 0 ? meant : target)
      .mean()
      .item(),
    gradient: all.keep(gradient.scatter(1, own, atOwn).div_(logits.size(0))),
    cosines: all.keep(cosine.clone()),
    accuracy: cosine.ge(nearest).to({ dtype: 'float32' }).mean().item(),
  };
}
