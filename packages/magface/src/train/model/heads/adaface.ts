/**
 * AdaFace: the margin follows the feature's norm, relative to the norms of recent batches.
 *
 *     own class   s · (cos(θ + g_angle) − g_add),   g_angle = −m · ẑ,   g_add = m · ẑ + m
 *     ẑ = (‖f‖ − μ) · h / σ, clamped to [−1, 1], without gradient
 *     μ and σ: running mean and deviation of norms, α of each batch
 *
 * As in the official code, norms are clamped to [0.001, 100], cosines within ±(1 − ε), angles within [ε, π − ε], and σ is
 * σ + ε, with ε = 0.001.
 *
 * @see Kim et al., AdaFace, CVPR 2022, arXiv 2204.00964; official head.py
 */
import { noGrad, scope, type Tensor } from '@magface/torch';
import { type HeadFunction, withOwn } from './head-function.ts';
import type { ConstantsOf } from './loss-table.ts';

const epsilon = 1e-3;

export const adaface = ({ s, m, h, alpha }: ConstantsOf<'adaface'>): HeadFunction => ({
  state: { batch_mean: 20, batch_std: 100 },
  terms: (batch) => {
    const norms = batch.magnitudes.detach().clamp({ min: 0.001, max: 100 }); // (N, 1)
    const [mean, std] = momentsOf(norms);
    const batch_mean = alpha * mean + (1 - alpha) * batch.state['batch_mean']!;
    const batch_std = alpha * std + (1 - alpha) * batch.state['batch_std']!;
    const z = norms
      .sub(batch_mean)
      .mul(h / (batch_std + epsilon))
      .clamp({ min: -1, max: 1 });

    const cosines = batch.cosines.clamp({ min: -1 + epsilon, max: 1 - epsilon }); // (N, K_r)
    const theta = cosines.gather(1, batch.own).acos().sub(z.mul(m));
    const margins = z.mul(m).add(m);
    const target = theta
      .clamp({ min: epsilon, max: Math.PI - epsilon })
      .cos()
      .sub(margins);
    return { logits: withOwn(batch, cosines, target).mul(s), margins, state: { batch_mean, batch_std } };
  },
});

/** Mean and sample deviation of (N, 1); the deviation of one sample is 0. */
function momentsOf(values: Tensor): readonly [mean: number, std: number] {
  using _scope = scope();
  using _grad = noGrad();
  const std = values.size(0) < 2 ? 0 : Math.sqrt(values.variance(null, 1).item());
  return [values.mean().item(), std];
}
