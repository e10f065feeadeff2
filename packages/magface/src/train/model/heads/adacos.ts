/**
 * AdaCos: a softmax over cosines without margin, whose scale follows the batch.
 *
 *     logits s · cos θ,     s = log(B) / cos(min(π/4, θ_med)),     first s = √2 · log(K − 1)
 *     B = mean_i Σ_{j ≠ y_i} exp(s' · cos θ_ij) with the previous scale s',     θ_med = median_i θ_i,y_i
 *
 * B is computed relative to exp(s'), so that it cannot overflow.
 *
 * @see Zhang et al., AdaCos, CVPR 2019, arXiv 1905.00292; FaceX-Zoo's head/AdaCos.py
 */
import { noGrad, scope } from '@magface/torch';
import { constantMargins, type HeadBatch, type HeadFunction, withoutOwn } from './head-function.ts';

/** @param classes - K */
export const adacos = (classes: number): HeadFunction => ({
  state: { scale: Math.SQRT2 * Math.log(Math.max(classes - 1, 2)) },
  terms: (batch) => {
    const scale = scaleAfter(batch, batch.state['scale']!);
    return { logits: batch.cosines.mul(scale), margins: constantMargins(batch, 0), state: { scale } };
  },
});

function scaleAfter(batch: HeadBatch, scale: number): number {
  using _scope = scope();
  using _grad = noGrad();
  const powers = batch.cosines.sub(1).mul(scale).exp(); // (N, K_r)
  const others = withoutOwn(batch, powers);
  const logB = Math.log(batch.sumOverClasses(others).mean().item()) + scale;
  const own = Array.from(batch.fromOwner(batch.plain).toArray(), Number).sort((a, b) => b - a); // by growing angle
  const median = own[(own.length - 1) >> 1]!;
  return logB / Math.max(Math.SQRT1_2, median); // cos falls with the angle
}
