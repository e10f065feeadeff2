/** BatchNorm over the batches of all ranks together. */
import { guarded } from './dispatch.ts';
import { native } from './load.ts';
import type { ProcessGroup } from './process-group.ts';
import { Tensor } from './tensor.ts';

export interface SyncBatchNormOptions {
  /** (C): the scale. */
  readonly weight: Tensor;
  /** (C) */
  readonly bias: Tensor;
  /** (C): becomes (1 − momentum) · it + momentum · the batch's. */
  readonly runningMean: Tensor;
  /** (C) */
  readonly runningVariance: Tensor;
  readonly momentum: number;
  readonly epsilon: number;
}

/**
 * Normalises each channel by the mean and variance that it has in the batches of all ranks; gradients go through both.
 * Call it inside {@link ProcessGroup.run}, and backward too, so that a rank that is lost is named.
 *
 * @param x - (n, C, …): this rank's part of the batch; n may differ between ranks
 */
export function syncBatchNorm(x: Tensor, group: ProcessGroup, options: SyncBatchNormOptions): Tensor {
  const { weight, bias, runningMean, runningVariance, momentum, epsilon } = options;
  const [w, b, mean, variance] = [weight.handle, bias.handle, runningMean.handle, runningVariance.handle];
  const over = group.handleOf(x.device);
  const y = guarded(() => native().syncBatchNorm(over, x.handle, w, b, mean, variance, momentum, epsilon));
  return new Tensor(y, 'syncBatchNorm');
}
