/**
 * Circle loss for classification: cosines far from their optimum weigh more.
 *
 *     own class     γ · α_p · (cos θ − (1 − m)),   α_p = max(0, 1 + m − cos θ)
 *     any other     γ · α_n · (cos θ − m),         α_n = max(0, cos θ + m)
 *
 * α has no gradient.
 *
 * @see Sun et al., Circle Loss, CVPR 2020, arXiv 2002.10857; FaceX-Zoo's head/CircleLoss.py
 */
import { constantMargins, type HeadFunction, withOwn } from './head-function.ts';
import type { ConstantsOf } from './loss-table.ts';

export const circleloss = ({ gamma, m }: ConstantsOf<'circleloss'>): HeadFunction => ({
  terms: (batch) => {
    const { cosines } = batch;
    const others = cosines.detach().add(m).relu().mul(cosines.sub(m)); // (N, K_r)
    const cos = batch.plain;
    const target = cos
      .detach()
      .neg()
      .add(1 + m)
      .relu()
      .mul(cos.sub(1 - m)); // (N, 1)
    return { logits: withOwn(batch, others, target).mul(gamma), margins: constantMargins(batch, m) };
  },
});
