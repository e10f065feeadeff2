import { expect, test } from 'vitest';
import { calibrate, fitFailures } from '../src/calibrate.ts';
import { qualityScore } from '../src/quality.ts';
import { randomStream } from '../src/random.ts';

const evenly = Float64Array.from({ length: 201 }, (_, i) => 10 + i / 20); // 10 to 20

test('takes centre and width from the quartiles, which then score 25, 50 and 75', () => {
  const fit = calibrate(evenly);
  expect(fit.magnitudes).toEqual({ p5: 10.5, p25: 12.5, p50: 15, p75: 17.5, p95: 19.5 });
  expect(fit.centre).toBe(15);
  expect(fit.width).toBeCloseTo(5 / (2 * Math.log(3)), 12);
  expect([12.5, 15, 17.5].map((a) => Math.round(1e9 * qualityScore(a, fit)) / 1e9)).toEqual([25, 50, 75]);
});

test('rejects too few faces, and magnitudes that are all equal', () => {
  expect(() => calibrate(evenly.slice(0, 99))).toThrow(/at least 100 faces .* received 99/);
  expect(() => calibrate(new Float64Array(100).fill(7))).toThrow(/middle half are all 7/);
  expect(() => calibrate(evenly.map((magnitude, i) => (i === 5 ? Number.NaN : magnitude)))).toThrow(/received NaN/);
});

test('a face whose comparisons fail half of the time scores 10', () => {
  const random = randomStream(3);
  const magnitudes = Float64Array.from({ length: 20_000 }, () => 1 + 4 * random());
  const failed = magnitudes.map((a) => (random() < 1 / (1 + Math.exp((a - 2.5) / 0.3)) ? 1 : 0));
  const fit = fitFailures(magnitudes, failed, 4);
  expect(fit.half).toBeCloseTo(2.5, 1);
  expect(fit.spread).toBeCloseTo(0.3, 1);
  expect(qualityScore(fit.half, { centre: 4, width: 0.25, widthBelow: fit.widthBelow })).toBeCloseTo(10, 9);
});

test('failures that are too few, or do not depend on the magnitude, cannot be fitted', () => {
  const magnitudes = Float64Array.from({ length: 1000 }, (_, i) => 1 + i / 250);
  expect(() =>
    fitFailures(
      magnitudes,
      magnitudes.map(() => 0),
      4,
    ),
  ).toThrow(/at least 50 .* received 0 and 1000/);
  expect(() =>
    fitFailures(
      magnitudes,
      magnitudes.map((a) => (a > 2 ? 1 : 0)),
      4,
    ),
  ).toThrow(/half fail at/);
});
