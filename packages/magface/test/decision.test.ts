import { expect, test } from 'vitest';
import { decide } from '../src/decision.ts';

const thresholds = [
  { fmr: 0.01, threshold: 0.2 },
  { fmr: 0.0001, threshold: 0.4 },
];

test('the measured rate that is nearest by its power of ten decides', () => {
  expect(decide(0.3, thresholds, 0.02)).toEqual({ threshold: 0.2, fmr: 0.01, same: true });
  expect(decide(0.3, thresholds, 0.0005)).toEqual({ threshold: 0.4, fmr: 0.0001, same: false });
  expect(decide(0.4, thresholds, 0)).toEqual({ threshold: 0.4, fmr: 0.0001, same: true });
});

test('a model without thresholds decides nothing', () => {
  expect(decide(0.9, undefined, 0.001)).toEqual({ threshold: null, fmr: null, same: null });
});
