import { expect, test } from 'vitest';
import { spearman } from '../../src/eval/rank-correlation.ts';

test('depends only on order', () => {
  expect(spearman([1, 2, 3, 4], [1, 10, 100, 1000])).toBe(1);
  expect(spearman([1, 2, 3, 4], [9, 8, 1, -5])).toBe(-1);
});

test('gives ties their mean rank, like scipy.stats.spearmanr', () => {
  // spearmanr([1, 2, 2, 3, 5], [2, 1, 4, 4, 6]) = 0.7631578947368423
  expect(spearman([1, 2, 2, 3, 5], [2, 1, 4, 4, 6])).toBeCloseTo(0.7631578947, 9);
});

test('is undefined for constant values', () => {
  expect(spearman([1, 2, 3], [7, 7, 7])).toBeNaN();
});
