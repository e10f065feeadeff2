import { expect, test } from 'vitest';
import { validationCurve } from '../../src/train/train-charts.ts';
import type { ValidationRow } from '../../src/train/validate.ts';

const row = (epoch: number, accuracy: number): ValidationRow => ({
  ...{ epoch, accuracy, accuracyStd: 0.01, auc: 0.9, tarAtFar: {} },
  rejectFnmr: [0.6, 0.5, 0.4, 0.3],
});

test('one validation alone has a short label too', () => {
  const svg = validationCurve([row(4, 0.8380000000000001)]);
  expect(svg).toContain('>83.8%<');
  expect(svg).not.toMatch(/\d{5,}%/);
});

test('the labels of several are whole percents where the steps are', () => {
  expect(validationCurve([row(1, 0.61), row(2, 0.79)])).toContain('>70%<');
});
