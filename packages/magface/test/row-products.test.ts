import { expect, test } from 'vitest';
import { eachPair, product, unitRows } from '../src/row-products.ts';

test('multiplies rows whose length is no multiple of four, from where they begin', () => {
  const rows = Float32Array.of(9, 1, 2, 3, 4, 5, 9, 6, 7, 8, 9, 10);
  expect(product(rows, 1, rows, 7, 5)).toBe(6 + 14 + 24 + 36 + 50);
});

test('scales rows to length 1 and leaves zeros as they are', () => {
  expect([...unitRows([Float32Array.of(3, 4), Float32Array.of(0, 0)])]).toEqual([
    Math.fround(0.6),
    Math.fround(0.8),
    0,
    0,
  ]);
  expect([...unitRows([])]).toEqual([]);
});

test('visits each pair of rows once, also beyond a block', () => {
  const count = 130;
  const rows = Float32Array.from({ length: count }, (_, i) => i);
  const seen = new Map<number, number>();
  eachPair(rows, 1, (i, j, value) => {
    expect(i).toBeLessThan(j);
    expect(seen.has(i * count + j)).toBe(false);
    seen.set(i * count + j, value);
  });
  expect(seen.size).toBe((count * (count - 1)) / 2);
  expect(seen.get(3 * count + 129)).toBe(387);
  eachPair(new Float32Array(0), 0, () => expect.unreachable());
});
