/**
 * ElasticFace: each sample draws its margin anew at each step.
 *
 *     Arc   s · cos(θ + m_i)      Cos   s · (cos θ − m_i)      m_i ~ N(m, σ)
 *
 * The draws are a function of (seed, step, position in the batch), so that a resumed run repeats them.
 *
 * @see Boutros et al., ElasticFace, CVPR Workshops 2022, arXiv 2109.09416; official utils/losses.py
 */
import { cosPlus, type HeadFunction, withOwn } from './head-function.ts';
import type { ConstantsOf } from './loss-table.ts';

export const elasticfaceArc = ({ s, m, sigma }: ConstantsOf<'elasticface-arc'>): HeadFunction => ({
  terms: (batch) => {
    const margins = batch.noise().mul(sigma).add(m); // (N, 1)
    return { logits: withOwn(batch, batch.cosines, cosPlus(batch.plain, margins)).mul(s), margins };
  },
});

export const elasticfaceCos = ({ s, m, sigma }: ConstantsOf<'elasticface-cos'>): HeadFunction => ({
  terms: (batch) => {
    const margins = batch.noise().mul(sigma).add(m); // (N, 1)
    return { logits: withOwn(batch, batch.cosines, batch.plain.sub(margins)).mul(s), margins };
  },
});
