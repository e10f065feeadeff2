import { expect, test } from 'vitest';
import { solvePositive } from '../src/solve-positive.ts';

test('solves a symmetric system', () => {
  const x = solvePositive(Float64Array.of(4, 2, 0, 2, 5, 1, 0, 1, 3), Float64Array.of(2, 1, 7));
  expect([4 * x[0]! + 2 * x[1]!, 2 * x[0]! + 5 * x[1]! + x[2]!, x[1]! + 3 * x[2]!]).toEqual([
    expect.closeTo(2, 12),
    expect.closeTo(1, 12),
    expect.closeTo(7, 12),
  ]);
});
