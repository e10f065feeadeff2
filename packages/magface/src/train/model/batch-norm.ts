/** BatchNorm by the kernels that run it with what follows, or by libtorch's own; both make the same of any batch. */
import { type FusedBatchNormOptions, fusedBatchNorm, noGrad, scope, type Tensor } from '@magface/torch';

export interface BatchNormOptions extends FusedBatchNormOptions {
  /** Whether PReLU and sum run with it; a group's statistics always do. */
  readonly isFused: boolean;
}

/**
 * A batch of one value a channel, such as a single sample behind the last layer, has no spread: its variance counts as 0 in
 * the running one. libtorch's operators make it n / (n − 1) of nothing, NaN, with no sign of it in loss or gradients.
 *
 * @param x - (N, C, H, W) or (N, C)
 */
export function batchNorm(x: Tensor, options: BatchNormOptions): Tensor {
  const { runningVariance, training, momentum, group } = options;
  if (!training || group !== undefined || x.length > x.size(1)) return normalized(x, options);
  using all = scope();
  const y = normalized(x, { ...options, runningVariance: runningVariance.clone() });
  using _ = noGrad();
  runningVariance.mul_(1 - momentum);
  return all.keep(y);
}

function normalized(x: Tensor, { isFused, ...options }: BatchNormOptions): Tensor {
  if (isFused || options.group !== undefined) return fusedBatchNorm(x, options);
  const { weight, bias, runningMean, runningVariance, training, momentum, epsilon } = options;
  return x.batchNorm(weight, bias, runningMean, runningVariance, training, momentum, epsilon, true);
}
