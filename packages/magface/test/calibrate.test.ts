import { expect, test } from 'vitest';
import { calibrate } from '../src/calibrate.ts';
import { qualityScore } from '../src/quality.ts';

const evenly = Float64Array.from({ length: 201 }, (_, i) => 10 + i / 20); // 10 to 20

test('takes centre and width from the quartiles, which then score 25, 50 and 75', () => {
  const fit = calibrate(evenly);
  expect(fit.magnitudes).toEqual({ p5: 10.5, p25: 12.5, p50: 15, p75: 17.5, p95: 19.5 });
  expect(fit.centre).toBe(15);
  expect(fit.width).toBeCloseTo(5 / (2 * Math.log(3)), 12);
  expect([12.5, 15, 17.5].map((a) => qualityScore(a, fit))).toEqual([25, 50, 75]);
});

test('rejects too few faces, and magnitudes that are all equal', () => {
  expect(() => calibrate(evenly.slice(0, 99))).toThrow(/at least 100 faces .* received 99/);
  expect(() => calibrate(new Float64Array(100).fill(7))).toThrow(/middle half are all 7/);
  expect(() => calibrate(evenly.map((magnitude, i) => (i === 5 ? Number.NaN : magnitude)))).toThrow(/received NaN/);
});
