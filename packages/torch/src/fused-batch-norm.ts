/** BatchNorm fused with the PReLU and the residual sum that follow it. */
import { guarded } from './dispatch.ts';
import { native } from './load.ts';
import type { ProcessGroup } from './process-group.ts';
import { Tensor } from './tensor.ts';

/** Parameters and statistics of the BatchNorm, and the fused operations. */
export interface FusedBatchNormOptions {
  /** (C) float32 */
  readonly weight: Tensor;
  /** (C) float32 */
  readonly bias: Tensor;
  /** (C) float32; training updates it to (1 − momentum) · runningMean + momentum · batch mean. */
  readonly runningMean: Tensor;
  /** (C) float32; updated likewise */
  readonly runningVariance: Tensor;
  /** Whether to normalize by the batch's statistics instead of the running ones. */
  readonly training: boolean;
  readonly momentum: number;
  readonly epsilon: number;
  /** (C) float32: PReLU slopes. @default no PReLU */
  readonly slope?: Tensor | undefined;
  /** Shape of x: added after PReLU. @default none */
  readonly residual?: Tensor | undefined;
  /**
   * In training, takes the statistics over the batches of all ranks in this group. The gradients of weight, bias and slope
   * still cover only x. Call this function and backward inside {@link ProcessGroup.run}, which names a lost rank.
   * @default statistics of x only
   */
  readonly group?: ProcessGroup | undefined;
}

/**
 * PReLU(BatchNorm(x)) + residual, with gradients for every argument. Forward and backward make two passes over memory
 * each, where libtorch's operators make five and eight, and only x is saved for backward. Statistics are float32 and sums
 * double, whatever the type of x. GPUs, other types, and channel counts that are not multiples of 32 use libtorch's operators.
 *
 * @param x - (N, C, H, W) or (N, C), float32 or bfloat16; with a group, this rank's part of the batch, whose N may differ
 * @returns the shape and type of x, channels last in memory
 */
export function fusedBatchNorm(x: Tensor, options: FusedBatchNormOptions): Tensor {
  const { weight, bias, slope, residual, runningMean, runningVariance, training, momentum, epsilon, group } = options;
  const [w, b, mean, variance] = [weight.handle, bias.handle, runningMean.handle, runningVariance.handle];
  const groupHandle = group?.handleOf(x.device);
  const y = guarded(() =>
    native().fusedBatchNorm(
      ...([
        x.handle,
        w,
        b,
        slope?.handle,
        residual?.handle,
        mean,
        variance,
        training,
        momentum,
        epsilon,
        groupHandle,
      ] as const),
    ),
  );
  return new Tensor(y, 'fusedBatchNorm');
}
