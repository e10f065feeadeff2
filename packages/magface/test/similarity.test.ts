import { expect, test } from 'vitest';
import { compare } from '../src/similarity.ts';

test('the cosine does not depend on length', () => {
  expect(compare(Float32Array.of(3, 4), Float32Array.of(6, 8))).toBeCloseTo(1, 12);
  expect(compare(Float32Array.of(1, 0), Float32Array.of(0, 5))).toBe(0);
  expect(compare(Float32Array.of(1, 1), Float32Array.of(-2, -2))).toBeCloseTo(-1, 12);
});

test('embeddings of two models, and an embedding of zeros, are rejected', () => {
  expect(() => compare(new Float32Array(2), new Float32Array(3))).toThrow(/the same length but received 2 and 3/);
  expect(() => compare(Float32Array.of(1, 0), new Float32Array(2))).toThrow(
    /other than zero but received one of only zeros/,
  );
  expect(() => compare(Float32Array.of(1, Number.NaN), Float32Array.of(1, 1))).toThrow(/finite values/);
});
