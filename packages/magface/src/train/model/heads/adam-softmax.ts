/**
 * AdaM-Softmax: every class learns its margin m_k within [0, 1].
 *
 *     own class   s · (cos θ − m_y)        added to the loss   λ · (1 − mean_k m_k)
 *
 * The second term makes margins grow. With Partial FC its mean is over the classes that take part.
 *
 * @see Liu et al., AdaptiveFace, CVPR 2019; FaceX-Zoo's head/AdaM_Softmax.py, where margins begin within [0.3, 0.4]
 */
import { type HeadFunction, withOwn } from './head-function.ts';
import type { ConstantsOf } from './loss-table.ts';

export const adamSoftmax = ({ s, lambda }: ConstantsOf<'adam-softmax'>): HeadFunction => ({
  classMargins: { initial: 0.35, lower: 0, upper: 1 },
  terms: (batch) => {
    const all = batch.classMargins!; // (1, K_r)
    const margins = all.t().indexSelect(0, batch.own.squeeze(1)); // (N, 1)
    const logits = withOwn(batch, batch.cosines, batch.plain.sub(margins)).mul(s);
    const penalty = all
      .neg()
      .add(1)
      .sum()
      .mul(lambda / batch.classCount());
    return { logits, margins: batch.fromOwner(margins), penalty };
  },
});
