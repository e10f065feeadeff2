/**
 * Losses with one margin for all samples.
 *
 *     ArcFace               s · cos(θ + m) up to θ = π − m, then s · (cos θ − m sin m)
 *     CosFace, AM-Softmax   s · (cos θ − m)
 *
 * @see Deng et al., ArcFace, arXiv 1801.07698; Wang et al., CosFace, arXiv 1801.09414; Wang et al., AM-Softmax, arXiv 1801.05599
 */
import { where } from '@magface/torch';
import { constantMargins, cosPlus, type HeadFunction, withOwn } from './head-function.ts';
import type { ConstantsOf } from './loss-table.ts';

export const arcface = ({ s, m }: ConstantsOf<'arcface'>): HeadFunction => ({
  terms: (batch) => {
    const cos = batch.plain;
    const target = where(cos.gt(-Math.cos(m)), cosPlus(cos, m), cos.sub(m * Math.sin(m)));
    return { logits: withOwn(batch, batch.cosines, target).mul(s), margins: constantMargins(batch, m) };
  },
});

export const cosface = ({ s, m }: ConstantsOf<'cosface'>): HeadFunction => ({
  terms: (batch) => {
    const target = batch.plain.sub(m);
    return { logits: withOwn(batch, batch.cosines, target).mul(s), margins: constantMargins(batch, m) };
  },
});
