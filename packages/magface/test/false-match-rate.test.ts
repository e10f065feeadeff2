import { expect, test } from 'vitest';
import { falseMatchRateAt, similarityAt } from '../src/false-match-rate.ts';

const thresholds = [
  { fmr: 0.0001, threshold: 0.4 },
  { fmr: 0.01, threshold: 0.25 },
];

test('gives the measured rates at their thresholds, and no looser rate than the loosest', () => {
  for (const { fmr, threshold } of thresholds) {
    expect(falseMatchRateAt(threshold, thresholds)).toBe(fmr);
    expect(similarityAt(fmr, thresholds)).toBe(threshold);
  }
  expect(falseMatchRateAt(-0.5, thresholds)).toBe(0.01);
  expect(similarityAt(1, thresholds)).toBe(0.25);
});

test('interpolates and extrapolates the logarithm of the rate over the squared similarity', () => {
  const middle = Math.sqrt((0.25 ** 2 + 0.4 ** 2) / 2);
  expect(falseMatchRateAt(middle, thresholds)).toBeCloseTo(0.001, 12);
  expect(falseMatchRateAt(Math.sqrt(2 * 0.4 ** 2 - 0.25 ** 2), thresholds)).toBeCloseTo(1e-6, 15);
  for (const fmr of [0.005, 1e-3, 1e-5, 1e-8])
    expect(falseMatchRateAt(similarityAt(fmr, thresholds), thresholds) / fmr).toBeCloseTo(1, 9);
  expect(similarityAt(1e-300, thresholds)).toBe(1);
});

test('takes a single measured rate as the tail of similarities around 0', () => {
  const single = [{ fmr: 0.01, threshold: 0.3 }];
  expect(falseMatchRateAt(0.3, single)).toBe(0.01);
  expect(falseMatchRateAt(0.3 * Math.SQRT2, single)).toBeCloseTo(0.01 * (0.01 / 0.5), 12);
});

test('leaves out thresholds that do not rise as their rates fall', () => {
  const odd = [...thresholds, { fmr: 0.00001, threshold: 0.39 }, { fmr: 0.5, threshold: -0.1 }];
  expect(falseMatchRateAt(0.5, odd)).toBe(falseMatchRateAt(0.5, thresholds));
  expect(falseMatchRateAt(-0.1, odd)).toBe(0.01);
});

test('refuses a model without thresholds', () => {
  expect(() => falseMatchRateAt(0.5, [])).toThrow('measure them with `magface calibrate --pairs`');
  expect(() => similarityAt(0.5, [{ fmr: 0.4, threshold: -0.1 }])).toThrow('but it has none');
});
