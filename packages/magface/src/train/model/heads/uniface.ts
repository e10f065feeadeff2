/**
 * UniFace: a binary decision for each class against one trained threshold b.
 *
 *     L = mean_i [ log(1 + exp(−z_i,y_i)) + Σ_{j ≠ y_i} log(1 + exp(z_ij)) ]
 *     z of the own class   s · (cos θ − m) − b        of any other   s · cos θ − b        first b = log(10 · K)
 *
 * The official code clamps z to ±s against overflow, where the gradient vanishes; softplus needs no clamp.
 *
 * @see Zhou et al., UniFace, ICCV 2023; official head.py with λ = r = 1
 */
import { constantMargins, type HeadFunction, withOwn } from './head-function.ts';
import type { ConstantsOf } from './loss-table.ts';

/** @param classes - K */
export const uniface = ({ s, m }: ConstantsOf<'uniface'>, classes: number): HeadFunction => ({
  over: 'sigmoid',
  bias: Math.log(10 * classes),
  terms: (batch) => {
    const logits = withOwn(batch, batch.cosines, batch.plain.sub(m)).mul(s).sub(batch.bias!);
    return { logits, margins: constantMargins(batch, m) };
  },
});
