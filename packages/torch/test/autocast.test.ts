/** autocast('bfloat16'), by oneDNN or, on processors without it, by float32 on rounded values. */
import { autocast, matmul, noGrad, processor, scope, type Tensor } from '@magface/torch';
import { expect, test } from 'vitest';
import { wave } from './support/wave.ts';
import { describeWithTorch } from './support/with-torch.ts';

/** To bfloat16 and back: what the narrow type makes of it. */
const rounded = (x: Tensor): Tensor => x.to({ dtype: 'bfloat16' }).to({ dtype: 'float32' });

/** Sums in another order may round to the next bfloat16: at most one part in 128 of it, seldom. */
function expectSame(found: Tensor, expected: Tensor): void {
  const [a, b] = [found, expected].map((tensor) => tensor.toArray() as Float32Array) as [Float32Array, Float32Array];
  expect(a.length).toBe(b.length);
  const largest = Math.max(...b.map(Math.abs));
  const off = a.map((value, i) => Math.abs(value - b[i]!));
  expect(Math.max(...off)).toBeLessThan(largest / 128);
  expect(off.filter((distance) => distance > largest * 1e-6).length / a.length).toBeLessThan(0.25);
}

/** The values and gradients of `run`, in bfloat16, beside those in float32 on rounded values. */
function compareTypes(shapes: readonly (readonly number[])[], run: (...tensors: Tensor[]) => Tensor): void {
  using _ = scope();
  const values = shapes.map(wave);
  const leaves = values.map((tensor) => tensor.clone());
  const exact = values.map((tensor) => rounded(tensor));
  for (const leaf of [...leaves, ...exact]) leaf.requiresGrad = true;
  const narrow = (() => {
    using _precision = autocast('bfloat16');
    return run(...leaves);
  })();
  expect(narrow.dtype).toBe('bfloat16');
  const wide = run(...exact);
  const dy = rounded(wave(wide.shape, 9));
  narrow.to({ dtype: 'float32' }).mul(dy).sum().backward();
  wide.mul(dy).sum().backward();
  using _noGrad = noGrad();
  expectSame(narrow.to({ dtype: 'float32' }), rounded(wide));
  for (const [i, leaf] of leaves.entries()) {
    expect(leaf.grad!.dtype).toBe('float32');
    expectSame(leaf.grad!, rounded(exact[i]!.grad!));
  }
}

describeWithTorch('autocast in bfloat16', () => {
  test('computes a convolution and its gradients', () => {
    compareTypes([[2, 32, 9, 7], [48, 32, 3, 3], [48]], (x, weight, bias) => x!.conv2d(weight!, { bias, padding: 1 }));
    compareTypes(
      [
        [2, 32, 9, 7],
        [32, 1, 3, 3],
      ],
      (x, weight) => x!.conv2d(weight!, { stride: 2, groups: 32 }),
    );
  });

  test('computes a linear layer and a product, and their gradients', () => {
    compareTypes([[5, 64], [24, 64], [24]], (x, weight, bias) => x!.linear(weight!, { bias: bias! }));
    compareTypes(
      [
        [5, 64],
        [64, 24],
      ],
      (a, b) => matmul(a!, b!),
    );
  });

  test('accepts inputs that are already bfloat16, and skips gradients that are not requested', () => {
    using _ = scope();
    const weight = wave([16, 32, 3, 3], 2);
    weight.requiresGrad = true;
    using _precision = autocast('bfloat16');
    const y = wave([1, 32, 5, 5], 1).to({ dtype: 'bfloat16' }).conv2d(weight);
    y.sum().backward();
    expect(y.shape).toEqual([1, 16, 3, 3]);
    expect(weight.grad!.shape).toEqual([16, 32, 3, 3]);
  });

  test('is turned off by an inner block, and outside float32 stays', () => {
    using _ = scope();
    const [a, b] = [wave([3, 4], 1), wave([4, 5], 2)];
    {
      using _on = autocast('bfloat16');
      expect(matmul(a, b).dtype).toBe('bfloat16');
      using _off = autocast(null);
      expect(matmul(a, b).dtype).toBe('float32');
    }
    expect(matmul(a, b).dtype).toBe('float32');
    expect(processor().kernels).toMatch(/^(plain|avx2|avx512|avx512bf16)$/);
  });
});
