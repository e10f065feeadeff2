import { expect, test } from 'vitest';
import { falseMatchRateAt, impostorLaw, similarityAt } from '../src/false-match-rate.ts';

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

test('leaves out a rate whose interval overlaps that of a looser one', () => {
  const apart = { fmr: 0.0001, threshold: 0.4, interval: [0.37, 0.42] } as const;
  const loose = { fmr: 0.01, threshold: 0.25, interval: [0.24, 0.26] } as const;
  const close = { fmr: 0.00001, threshold: 0.42, interval: [0.4, 0.47] } as const;
  expect(falseMatchRateAt(0.5, [close, apart, loose])).toBe(falseMatchRateAt(0.5, thresholds));
  expect(falseMatchRateAt(0.5, [{ ...close, interval: [0.43, 0.47] }, apart, loose])).toBeLessThan(
    falseMatchRateAt(0.5, thresholds),
  );
});

test('takes different people for random directions', () => {
  const { dimension, least, rateAt } = impostorLaw(thresholds);
  expect(least).toBe(0.25);
  expect(dimension).toBeCloseTo((-2 * Math.log(0.01)) / (0.4 ** 2 - 0.25 ** 2), 9);
  expect([rateAt(0.4), rateAt(0.25), rateAt(-1)]).toEqual([
    0.0001,
    0.01,
    expect.closeTo(0.01 * Math.exp(dimension * 0.5 * 0.25 ** 2), 9),
  ]);
  expect(rateAt(0.2)).toBeGreaterThan(0.01);
  expect(impostorLaw([{ fmr: 0.2, threshold: 0.9 }]).rateAt(0)).toBe(0.5);
});

test('refuses a model without thresholds', () => {
  expect(() => falseMatchRateAt(0.5, [])).toThrow('measure them with `magface calibrate --pairs`');
  expect(() => similarityAt(0.5, [{ fmr: 0.4, threshold: -0.1 }])).toThrow('but it has none');
});
