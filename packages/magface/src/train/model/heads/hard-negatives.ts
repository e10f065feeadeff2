/**
 * Losses that weigh hard negatives: the other classes whose cosine exceeds that of the own class with its margin.
 *
 *     CurricularFace   hard: cos θ_j · (t + cos θ_j)    t: running mean of own cosines, α of each batch
 *     MV-Softmax       hard: t · cos θ_j + t − 1
 *     NPCFace          hard: t · cos θ_j + α             own: cos(θ + m0 + m1 · mean of the hard cosines)
 *
 * Which negatives are hard, t and the mean of hard cosines have no gradient.
 *
 * @see Huang et al., CurricularFace, CVPR 2020, arXiv 2004.00288; Wang et al., MV-Softmax, AAAI 2020, arXiv 1912.00833;
 * Zeng et al., NPCFace, arXiv 2007.10172; all as in FaceX-Zoo's head/
 */
import { noGrad, scope, type Tensor, where } from '@magface/torch';
import { constantMargins, cosPlus, type HeadBatch, type HeadFunction, withOwn, withoutOwn } from './head-function.ts';
import type { ConstantsOf } from './loss-table.ts';

export const curricularface = ({ s, m, alpha }: ConstantsOf<'curricularface'>): HeadFunction => ({
  state: { t: 0 },
  terms: (batch) => {
    const t = alpha * batch.fromOwner(batch.plain).mean().item() + (1 - alpha) * batch.state['t']!;
    const { cosines } = batch;
    const others = where(
      harderThan(batch, (own) => cosPlus(own, m)),
      cosines.mul(cosines.add(t)),
      cosines,
    );
    const cos = batch.plain;
    const target = where(cos.gt(-Math.cos(m)), cosPlus(cos, m), cos.sub(m * Math.sin(m)));
    return { logits: withOwn(batch, others, target).mul(s), margins: constantMargins(batch, m), state: { t } };
  },
});

export const mvSoftmaxAm = ({ s, m, t }: ConstantsOf<'mv-softmax-am'>): HeadFunction => ({
  terms: (batch) => {
    const { cosines } = batch;
    const others = where(
      harderThan(batch, (own) => own.sub(m)),
      cosines.mul(t).add(t - 1),
      cosines,
    );
    const cos = batch.plain;
    const target = where(cos.gt(m), cos.sub(m), cos);
    return { logits: withOwn(batch, others, target).mul(s), margins: constantMargins(batch, m) };
  },
});

export const mvSoftmaxArc = ({ s, m, t }: ConstantsOf<'mv-softmax-arc'>): HeadFunction => ({
  terms: (batch) => {
    const { cosines } = batch;
    const others = where(
      harderThan(batch, (own) => cosPlus(own, m)),
      cosines.mul(t).add(t - 1),
      cosines,
    );
    const cos = batch.plain;
    const target = where(cos.gt(0), cosPlus(cos, m), cos);
    return { logits: withOwn(batch, others, target).mul(s), margins: constantMargins(batch, m) };
  },
});

/** m: the margin that decides which negatives are hard. */
export const npcface = ({ s, m, m0, m1, t, alpha }: ConstantsOf<'npcface'>): HeadFunction => ({
  terms: (batch) => {
    const { cosines } = batch;
    const isHard = harderThan(batch, (own) => cosPlus(own, m)); // (N, K_r)
    const margins = meanOfHard(batch, isHard).mul(m1).add(m0); // (N, 1)
    const others = where(isHard, cosines.mul(t).add(alpha), cosines);
    const cos = batch.plain;
    const target = where(cos.gt(0), cosPlus(cos, margins), cos);
    return { logits: withOwn(batch, others, target).mul(s), margins };
  },
});

/** (N, K_r) bool: cosines above that of the own class with its margin; the own class's column does not matter. */
function harderThan(batch: HeadBatch, withMargin: (own: Tensor) => Tensor): Tensor {
  return batch.cosines.detach().gt(withMargin(batch.fromOwner(batch.plain)));
}

/** (N, 1): mean cosine of the hard negatives, 0 where there is none. */
function meanOfHard(batch: HeadBatch, isHard: Tensor): Tensor {
  using all = scope();
  using _ = noGrad();
  const marks = isHard.to({ dtype: 'float32' });
  const hard = withoutOwn(batch, marks); // (N, K_r): 1 or 0
  const count = batch.sumOverClasses(hard).clamp({ min: 1 });
  return all.keep(batch.sumOverClasses(batch.cosines.mul(hard)).div(count));
}
