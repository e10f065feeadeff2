/** Convolution in the memory layout that is fastest on this processor. */
import { guarded } from './dispatch.ts';
import { native } from './load.ts';
import { Tensor } from './tensor.ts';

/** Bias, stride, padding, dilation and groups of a convolution. */
export interface ConvolutionOptions {
  /** (O) @default none */
  readonly bias?: Tensor | undefined;
  /** One number for both, or [vertical, horizontal]. @default 1 */
  readonly stride?: number | readonly [number, number];
  /** Rows and columns of zeros on each side. @default 0 */
  readonly padding?: number | readonly [number, number];
  /** @default 1 */
  readonly dilation?: number | readonly [number, number];
  /** @default 1 */
  readonly groups?: number;
}

const pair = (value: number | readonly [number, number]) => (typeof value === 'number' ? [value, value] : value);

/**
 * {@link Tensor.conv2d} with gradients, faster in float32 without groups on processors with AVX2 but no AVX-512:
 * - 3 x 3 kernels use Winograd's algorithm, if stride is 1 and padding at most 2, or stride is 2 and padding 1, if the
 *   channels are multiples of 16, and if tiles of 4 x 4 fit the result;
 * - other kernels above 1 x 1 use oneDNN with the channels in blocks of 8.
 *
 * Everything else calls conv2d. Results equal conv2d's up to rounding, and repeat bit for bit.
 *
 * @param x - (N, I, H, W)
 * @param weight - (O, I / groups, h, w)
 * @returns (N, O, H', W'), channels last in memory if x is, and always on the two faster paths
 */
export function convolution(x: Tensor, weight: Tensor, options: ConvolutionOptions = {}): Tensor {
  const { bias, stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
  const y = guarded(() =>
    native().convolution(x.handle, weight.handle, bias?.handle, pair(stride), pair(padding), pair(dilation), groups),
  );
  return new Tensor(y, 'convolution');
}
