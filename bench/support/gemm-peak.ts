/** Measures the processor's peak matrix product rate, as a reference for a network's speed. */
import { type DType, matmul, noGrad, scope, zeros } from '@magface/torch';

/** @returns operations per second (a multiply-add counts as two) of the best of several square products */
export function gemmPeak(dtype: DType): number {
  return Math.max(...[1024, 2048, 4096].map((size) => gemmRate(dtype, size)));
}

function gemmRate(dtype: DType, size: number): number {
  using _ = scope();
  using _noGrad = noGrad();
  const make = () => zeros([size, size]).uniform_({}).to({ dtype });
  const [a, b] = [make(), make()];
  const seconds = Array.from({ length: 8 }, () => {
    using _product = scope();
    const started = performance.now();
    matmul(a, b);
    return (performance.now() - started) / 1000;
  });
  return (2 * size ** 3) / Math.min(...seconds);
}
