import { expect, test } from 'vitest';
import { isReferenceBlas } from '../../../src/train/loop/torch-state.ts';

const line = (file: string): string => `7f10a000-7f10b000 r-xp 00000000 fe:00 4711    ${file}\n`;

test('recognises the reference BLAS by its folder', () => {
  const others = line('/usr/lib/x86_64-linux-gnu/libtorch_cpu.so.1.13');
  expect(isReferenceBlas(others + line('/usr/lib/x86_64-linux-gnu/blas/libblas.so.3.11.0'))).toBe(true);
  expect(isReferenceBlas(others + line('/usr/lib/x86_64-linux-gnu/openblas-pthread/libblas.so.3'))).toBe(false);
  expect(isReferenceBlas('')).toBe(false);
});
