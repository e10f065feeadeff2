import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { magnitudeAt, magnitudeOf, printedQuality, qualityScore } from '../src/quality.ts';

const table = readFileSync(new URL('./fixtures/ofiq_unified_quality.csv', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => line.split(','));

test('all 28 published rows of OFIQ are exact', () => {
  expect(table).toHaveLength(28);
  for (const [file, raw, scalar] of table) {
    expect(Math.round(qualityScore(Number(raw), { centre: 23, width: 2.6 })), file).toBe(Number(scalar));
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

describe('two widths', () => {
  const scale = { centre: 4, width: 0.25, widthBelow: 0.5 };
  test('each side of the centre has its own, and they meet at 50', () => {
    expect(qualityScore(4.25, scale)).toBeCloseTo(100 / (1 + Math.exp(-1)), 12);
    expect(qualityScore(3.5, scale)).toBeCloseTo(100 / (1 + Math.exp(1)), 12);
    expect(qualityScore(4 - 1e-9, scale)).toBeCloseTo(50, 6);
  });
  test('a longer feature never scores less, and magnitudeAt is the inverse', () => {
    const scores = Array.from({ length: 600 }, (_, i) => qualityScore(i / 100, scale));
    expect(scores.every((score, i) => i === 0 || score > scores[i - 1]!)).toBe(true);
    for (const score of [3, 10, 49.9, 50, 77])
      expect(qualityScore(magnitudeAt(score, scale), scale)).toBeCloseTo(score, 9);
  });
});

test('printed quality has one decimal', () => {
  expect([12.345, 49.96, undefined, null].map(printedQuality)).toEqual([12.3, 50, null, null]);
});
