import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { magnitudeOf, qualityScore } from '../src/quality.ts';

const table = readFileSync(new URL('./fixtures/ofiq_unified_quality.csv', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => line.split(','));

test('all 28 published rows of OFIQ are exact', () => {
  expect(table).toHaveLength(28);
  for (const [file, raw, scalar] of table) {
    expect(qualityScore(Number(raw), { centre: 23, width: 2.6 }), file).toBe(Number(scalar));
  }
});

test('the score stays within 0 and 100 for any magnitude', () => {
  expect(qualityScore(-1e6, { centre: 23, width: 2.6 })).toBe(0);
  expect(qualityScore(1e6, { centre: 23, width: 2.6 })).toBe(100);
  expect(qualityScore(23, { centre: 23, width: 2.6 })).toBe(50);
});

test('the magnitude is the L2 norm', () => {
  expect(magnitudeOf(Float32Array.of(3, 4))).toBe(5);
});
