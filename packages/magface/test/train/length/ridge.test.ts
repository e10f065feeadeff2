import { expect, test } from 'vitest';
import { randomStream } from '../../../src/random.ts';
import { fitRidge } from '../../../src/train/length/ridge.ts';
import { describeTraining } from '../golden.ts';

describeTraining('ridge regression', () => {
  const random = randomStream(5);
  const rows = Float32Array.from({ length: 3000 }, (_, i) => (i % 3 === 2 ? 100 : 1) * random());
  const targets = Float32Array.from({ length: 1000 }, (_, i) => 2 + rows[3 * i]! - 0.01 * rows[3 * i + 2]!);

  test('finds a linear rule whatever the columns’ units', () => {
    const { weights, bias } = fitRidge({ rows, targets }, 1e-6);
    expect([...weights, bias]).toEqual([1, 0, -0.01, 2].map((value) => expect.closeTo(value, 3)));
  });

  test('a penalty of 1 halves independent weights, and a constant column gets none', () => {
    const { weights } = fitRidge({ rows, targets }, 1);
    expect(weights[0]).toBeGreaterThan(0.4);
    expect(weights[0]).toBeLessThan(0.6);
    const constant = fitRidge({ rows: rows.map((value, i) => (i % 3 === 1 ? 7 : value)), targets }, 1e-6);
    expect(constant.weights[1]).toBeCloseTo(0, 6);
  });

  test('a free column keeps its weight under any penalty', () => {
    const { weights } = fitRidge({ rows, targets, free: 1 }, 1e6);
    expect(weights[0]).toBeCloseTo(0, 5);
    expect(weights[2]).toBeCloseTo(-0.01, 3);
  });
});
