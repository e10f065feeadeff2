import { expect, test } from 'vitest';
import { decide, rateTaken, thresholdAt } from '../src/decision.ts';
import { decide as exported } from '../src/index.ts';

const thresholds = [
  { fmr: 0.01, threshold: 0.2 },
  { fmr: 0.0001, threshold: 0.4 },
];

test('decides at the threshold of a measured rate', () => {
  expect(decide(0.3, thresholds, 0.01)).toEqual({ threshold: 0.2, fmr: 0.01, same: true });
  expect(decide(0.4, thresholds, 0.0001)).toEqual({ threshold: 0.4, fmr: 0.0001, same: true });
  expect(decide(0.3, thresholds, 0.1 * 0.1)).toMatchObject({ fmr: 0.01 }); // 0.010000000000000002
  expect(decide(0.3, [{ fmr: 0.1 * 0.1, threshold: 0.2 }], 0.01)).toMatchObject({ threshold: 0.2 });
});

test('decides at the stricter of two measured rates, however near the looser one is', () => {
  for (const asked of [0.0099, 0.005, 0.0005])
    expect(decide(0.3, thresholds, asked), String(asked)).toEqual({ threshold: 0.4, fmr: 0.0001, same: false });
  expect(decide(0.3, thresholds, 0.5)).toEqual({ threshold: 0.2, fmr: 0.01, same: true });
  expect(rateTaken(0.0001, 0.005)).toBe('0.0001, the next stricter measured rate than the 0.005 asked for');
  expect(rateTaken(0.1 * 0.1, 0.01)).toBe(String(0.1 * 0.1));
});

test('rejects a rate stricter than all measured ones instead of loosening it', () => {
  const refusal =
    'Expected a false match rate of at least 0.0001 (the strictest measured for this model) but received 0.00005: use 0.0001, or measure the model on more pairs with `magface calibrate --pairs`.';
  expect(() => decide(0.9, thresholds, 0.00005)).toThrow(refusal.replace('0.00005', String(0.00005)));
  expect(() => thresholdAt(thresholds, 0)).toThrow('but received 0: use 0.0001');
});

test('makes no decision with a model without thresholds', () => {
  for (const none of [undefined, []])
    expect(decide(0.9, none, 0.001)).toEqual({ threshold: null, fmr: null, same: null });
});

test('is the same in the library, the commands and the service', () => {
  expect(exported).toBe(decide);
});
