import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { cores, quota } from '../../src/machine/cores.ts';

test('uses the variable, or at most the cores of the system', () => {
  expect(cores({ MAGFACE_CORES: '3' })).toBe(3);
  for (const environment of [{}, { MAGFACE_CORES: '' }]) {
    expect(cores(environment)).toBeGreaterThanOrEqual(1);
    expect(cores(environment)).toBeLessThanOrEqual(availableParallelism());
  }
});

test.each(['0', '-1', '1.5', 'two', '12345'])('rejects %s by name', (given) => {
  expect(() => cores({ MAGFACE_CORES: given })).toThrow(
    `Expected MAGFACE_CORES to be a whole number from 1 but received ${given}: correct or unset it.`,
  );
});

test('limits a container to its processor quota, rounded up', () => {
  expect(quota('200000 100000\n')).toBe(2);
  expect(quota('150000 100000\n')).toBe(2);
  expect(quota('50000 100000\n')).toBe(1);
  for (const text of ['max 100000\n', 'max', '', 'text']) expect(quota(text)).toBe(Number.POSITIVE_INFINITY);
});
