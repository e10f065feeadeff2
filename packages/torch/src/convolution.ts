/** Convolutions in the order of memory that this processor is fastest in. */
import { guarded } from './dispatch.ts';
import { native } from './load.ts';
import { Tensor } from './tensor.ts';

/** How the window moves, and what is added. */
export interface ConvolutionOptions {
  /** (O) @default none */
  readonly bias?: Tensor | undefined;
  /** Both ways, or height before width. @default 1 */
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
 * As {@link Tensor.conv2d}, with gradients. In float32 without groups, where the processor has AVX2 alone, kernels of 3 x 3 go
 * by Winograd's algorithm, in steps of one with a padding of at most two, or in steps of two with a padding of one, where
 * tiles of 4 x 4 results fit and channels come in sixteens; others by oneDNN with the channels in blocks of eight. All
 * else is conv2d itself. Values are conv2d's but for rounding, and the same bits at every call.
 *
 * @param x - (N, I, H, W)
 * @param weight - (O, I / groups, h, w)
 * @returns (N, O, H', W'), the channels last in memory where they were in x, and wherever it is not conv2d itself
 */
export function convolution(x: Tensor, weight: Tensor, options: ConvolutionOptions = {}): Tensor {
  const { bias, stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
  const y = guarded(() =>
    native().convolution(x.handle, weight.handle, bias?.handle, pair(stride), pair(padding), pair(dilation), groups),
  );
  return new Tensor(y, 'convolution');
}
