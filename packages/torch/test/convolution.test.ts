/** convolution() beside conv2d: by tiles or in blocks of channels where AVX2 is the best there is, conv2d itself elsewhere. */
import { autocast, type ConvolutionOptions, convolution, type DType, noGrad, scope, type Tensor } from '@magface/torch';
import { expect, test } from 'vitest';
import { wave } from './support/wave.ts';
import { describeWithTorch } from './support/with-torch.ts';

const valuesOf = (x: Tensor): Float32Array => x.contiguous().toArray() as Float32Array;
const channelsLast = (x: Tensor): Tensor => x.contiguous({ memoryFormat: 'channelsLast' });

type Run = (x: Tensor, weight: Tensor, options: ConvolutionOptions) => Tensor;
const byConv2d: Run = (x, weight, { stride = 1, padding = 0, dilation = 1, ...rest }) =>
  x.conv2d(weight, { ...rest, stride, padding, dilation });

interface Case {
  readonly x: readonly [number, number, number, number];
  readonly weight: readonly [number, number, number, number];
  readonly bias?: boolean;
  readonly options?: ConvolutionOptions;
}

const odd: Case = { x: [2, 48, 15, 23], weight: [32, 48, 3, 3], bias: true, options: { stride: 2, padding: 1 } };

/** y and the gradients of x, weight and bias, computed in `dtype`. */
function results(run: Run, { x, weight, bias = false, options = {} }: Case, dtype: DType = 'float32'): Float32Array[] {
  using _ = scope();
  const made = (shape: readonly number[], seed: number): Tensor => wave(shape, seed).to({ dtype });
  const leaves = [made(x, 1), made(weight, 2), ...(bias ? [made([weight[0]], 3)] : [])];
  for (const leaf of leaves) leaf.requiresGrad = true;
  const y = run(channelsLast(leaves[0]!), leaves[1]!, { ...options, bias: leaves[2] });
  y.mul(made(y.shape, 9)).sum().backward();
  using _noGrad = noGrad();
  return [y, ...leaves.map((leaf) => leaf.grad!)].map((found) => valuesOf(found.to({ dtype: 'float32' })));
}

const mostOf = (values: Float32Array): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** Float32 sums in another order: apart by little beside the largest value. */
function expectSame(found: readonly Float32Array[], expected: readonly Float32Array[]): void {
  expect(found.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
  for (const [i, values] of found.entries()) {
    const largest = mostOf(expected[i]!);
    expect(mostOf(values.map((value, j) => value - expected[i]![j]!))).toBeLessThan(largest * 3e-6);
  }
}

describeWithTorch('convolution', () => {
  test.each<[string, Case]>([
    ['3 x 3', { x: [2, 32, 9, 7], weight: [48, 32, 3, 3], options: { padding: 1 } }],
    ['3 x 3 with a bias', { x: [2, 32, 9, 7], weight: [48, 32, 3, 3], bias: true, options: { padding: 1 } }],
    ['3 x 3 over many tiles', { x: [2, 16, 29, 26], weight: [32, 16, 3, 3], options: { padding: 1 } }],
    ['3 x 3 without zeros around', { x: [2, 16, 10, 18], weight: [16, 16, 3, 3], bias: true }],
    ['3 x 3, zeros on two sides', { x: [2, 16, 10, 12], weight: [16, 16, 3, 3], options: { padding: [2, 0] } }],
    ['3 x 3 on images of odd sizes, a stride of 2', odd],
    ['3 x 3 over many tiles, a stride of 2', { ...odd, x: [3, 48, 41, 38] }],
    ['a stride of 2', { x: [3, 64, 14, 14], weight: [64, 64, 3, 3], options: { stride: 2, padding: 1 } }],
    ['unlike ways', { x: [2, 16, 11, 8], weight: [24, 16, 5, 2], options: { stride: [2, 1], padding: [2, 0] } }],
    ['dilation', { x: [1, 16, 12, 12], weight: [16, 16, 3, 3], options: { dilation: 2 } }],
    [
      'three channels, as a photo has',
      { x: [2, 3, 17, 15], weight: [64, 3, 3, 3], bias: true, options: { padding: 1 } },
    ],
    ['channels that fill no block', { x: [2, 5, 6, 7], weight: [11, 5, 3, 3], bias: true, options: { padding: 1 } }],
    ['one batch, one pixel of y', { x: [1, 8, 3, 3], weight: [8, 8, 3, 3] }],
    ['1 x 1', { x: [2, 32, 7, 5], weight: [16, 32, 1, 1], bias: true }],
    ['1 x 1, a stride of 2', { x: [2, 32, 7, 5], weight: [16, 32, 1, 1], options: { stride: 2 } }],
    ['groups', { x: [2, 32, 9, 7], weight: [32, 1, 3, 3], options: { padding: 1, groups: 32 } }],
  ])('%s: values and gradients match conv2d in float64', (_, given) => {
    expectSame(results(convolution, given), results(byConv2d, given, 'float64'));
  });

  test('repeats with the same bits', () => {
    const given: Case = { x: [4, 32, 14, 14], weight: [32, 32, 3, 3], bias: true, options: { padding: 1 } };
    expect(results(convolution, given)).toEqual(results(convolution, given));
  });

  test('accepts a channels-last image, and skips gradients that are not requested', () => {
    using _ = scope();
    const [x, weight] = [wave([2, 16, 6, 5], 1), wave([8, 16, 3, 3], 2)];
    const expected = valuesOf(x.conv2d(weight));
    weight.requiresGrad = true;
    const y = convolution(x, weight);
    y.sum().backward();
    expect(x.grad).toBeUndefined();
    expect(weight.grad!.shape).toEqual([8, 16, 3, 3]);
    using _noGrad = noGrad();
    expectSame([valuesOf(y)], [expected]);
    expectSame([valuesOf(convolution(x, weight))], [expected]);
  });

  test('computes no gradient of a bias that needs none', () => {
    using _ = scope();
    const [x, weight, bias] = [wave([2, 16, 6, 5], 1), wave([8, 16, 3, 3], 2), wave([8], 3)];
    x.requiresGrad = weight.requiresGrad = true;
    convolution(x, weight, { bias }).sum().backward();
    const [dx, dw] = [valuesOf(x.grad!), valuesOf(weight.grad!)];
    x.grad = weight.grad = undefined;
    x.conv2d(weight, { bias }).sum().backward();
    expect(bias.grad).toBeUndefined();
    expectSame([dx, dw], [valuesOf(x.grad!), valuesOf(weight.grad!)]);
  });

  test('passes other types and autocast to conv2d', () => {
    using _ = scope();
    using _noGrad = noGrad();
    const [x, weight] = [wave([1, 16, 6, 5], 1), wave([8, 16, 3, 3], 2)];
    const [wideX, wideWeight] = [x, weight].map((tensor) => tensor.to({ dtype: 'float64' })) as [Tensor, Tensor];
    const exact = convolution(wideX, wideWeight);
    expect(exact.dtype).toBe('float64');
    expect(exact.toArray()).toEqual(wideX.conv2d(wideWeight).toArray());
    using _precision = autocast('bfloat16');
    expect(convolution(x, weight).dtype).toBe('bfloat16');
  });

  test('rejects invalid arguments by name, with the shapes', () => {
    using _ = scope();
    const x = wave([1, 16, 6, 5], 1);
    expect(() => convolution(x, wave([8, 4, 3, 3], 2))).toThrow(/convolution\(\[1, 16, 6, 5\], \[8, 4, 3, 3\]\)/);
    expect(() => convolution(x, wave([8, 16, 7, 7], 2))).toThrow(/convolution\(/);
    expect(() => convolution(x, wave([8, 16, 3, 3], 2), { bias: wave([9], 3) })).toThrow(/convolution\(/);
  });
});
