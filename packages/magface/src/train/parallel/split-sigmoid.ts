/**
 * One binary cross-entropy for each class, summed over classes that are split over ranks:
 *
 *     L = mean_i [ log(1 + exp(−z_i,y_i)) + Σ_{j ≠ y_i} log(1 + exp(z_ij)) ],     ∂L/∂z_ik = (σ(z_ik) − [k = y_i]) / N
 */
import { cat, invoke, noGrad, operator, type ProcessGroup, scope, type Tensor, where } from '@magface/torch';
import type { SplitLogits, SplitSoftmax } from './split-softmax.ts';

const softplus = operator('aten::softplus');

export function splitSigmoid(group: ProcessGroup, { logits, cosines, isHere, own }: SplitLogits): SplitSoftmax {
  using all = scope();
  using _ = noGrad();
  const ofOwn = (x: Tensor): Tensor => where(isHere, x.gather(1, own), x.narrow(1, 0, 1).mul(0)); // (N, 1), 0 elsewhere
  const nearest = group.allReduce(cosines.amax({ dim: 1, keepdim: true }), 'max'); // (N, 1)
  const losses = invoke(softplus, [logits]).sumDim([1], { keepdim: true }).sub(ofOwn(logits)); // (N, 1)
  const sums = group.allReduce(cat([losses, ofOwn(cosines)], { dim: 1 })); // (N, 2)
  const [loss, cosine] = [sums.narrow(1, 0, 1), sums.narrow(1, 1, 1)];

  const gradient = logits.sigmoid(); // (N, K_r)
  const atOwn = gradient.gather(1, own).sub(isHere.to({ dtype: gradient.dtype }));
  return {
    identity: loss.mean().item(),
    gradient: all.keep(gradient.scatter(1, own, atOwn).div_(logits.size(0))),
    cosines: all.keep(cosine.clone()),
    accuracy: cosine.ge(nearest).to({ dtype: 'float32' }).mean().item(),
  };
}
