/** BatchNorm together with what follows it in a residual network. */
import { guarded } from './dispatch.ts';
import { native } from './load.ts';
import type { ProcessGroup } from './process-group.ts';
import { Tensor } from './tensor.ts';

/** Parameters and statistics of the BatchNorm, and what follows it. */
export interface FusedBatchNormOptions {
  /** (C) float32 */
  readonly weight: Tensor;
  /** (C) float32 */
  readonly bias: Tensor;
  /** (C) float32; in training it becomes (1 − momentum) · it + momentum · the batch's. */
  readonly runningMean: Tensor;
  /** (C) float32 */
  readonly runningVariance: Tensor;
  /** Whether the batch's own statistics are taken. */
  readonly training: boolean;
  readonly momentum: number;
  readonly epsilon: number;
  /** (C) float32: PReLU's slopes. @default no PReLU */
  readonly slope?: Tensor | undefined;
  /** As x: added at the end. @default nothing is added */
  readonly residual?: Tensor | undefined;
  /**
   * The processes over whose batches together statistics are taken in training; the gradients of weight, bias and slope stay
   * those of x. Call it inside {@link ProcessGroup.run}, and backward too, so that a rank that is lost is named.
   * @default x alone
   */
  readonly group?: ProcessGroup | undefined;
}

/**
 * PReLU(BatchNorm(x)) + residual, with gradients to all of them, in two passes over memory forward and two backward, where
 * libtorch's operators take five and eight; and only x is kept for backward. Statistics and sums are float32 and double,
 * whatever the type of x. Channels that are no multiple of 32, other types and GPUs take libtorch's operators.
 *
 * @param x - (N, C, H, W) or (N, C), float32 or bfloat16; with a group this rank's part of the batch, N may differ
 * @returns as x, the channels last in memory
 */
export function fusedBatchNorm(x: Tensor, options: FusedBatchNormOptions): Tensor {
  const { weight, bias, slope, residual, runningMean, runningVariance, training, momentum, epsilon, group } = options;
  const [w, b, mean, variance] = [weight.handle, bias.handle, runningMean.handle, runningVariance.handle];
  const over = group?.handleOf(x.device);
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
        over,
      ] as const),
    ),
  );
  return new Tensor(y, 'fusedBatchNorm');
}
