/** BatchNorm with kernels that fuse it with the next layer, or with libtorch's own; both give the same result. */
import { type FusedBatchNormOptions, fusedBatchNorm, noGrad, scope, type Tensor } from '@magface/torch';

export interface BatchNormOptions extends FusedBatchNormOptions {
  /** Whether to fuse PReLU and sum; with a group they always are. */
  readonly isFused: boolean;
}

/**
 * A batch with one value per channel, such as a single sample after the last layer, has no spread: its variance counts as
 * 0 in the running one. libtorch's operators compute n / (n − 1) of it, NaN, with no sign of it in loss or gradients.
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
