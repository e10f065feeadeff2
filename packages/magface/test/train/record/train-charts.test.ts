import { expect, test } from 'vitest';
import type { ValidationRow } from '../../../src/train/loop/validate.ts';
import type { MetricsRow } from '../../../src/train/record/metrics.ts';
import { magnitudeCurve, stepCurve, validationCurve } from '../../../src/train/record/train-charts.ts';

const row = (epoch: number, accuracy: number): ValidationRow => ({
  ...{ epoch, accuracy, accuracyStd: 0.01, auc: 0.9, tarAtFar: {} },
  rejectFnmr: [0.6, 0.5, 0.4, 0.3],
});

test('shortens the label of a single validation too', () => {
  const svg = validationCurve([row(4, 0.8380000000000001)]);
  expect(svg).toContain('>83.8%<');
  expect(svg).not.toMatch(/\d{5,}%/);
});

test('labels whole percents if the ticks are there', () => {
  expect(validationCurve([row(1, 0.61), row(2, 0.79)])).toContain('>70%<');
});

const metrics = (step: number, samples: number): MetricsRow => ({
  ...{ epoch: 0, step, samples, loss: 9, lossId: 9 - samples / 1e6, lossG: 0.1, accuracy: 0.5, lr: 0.1 },
  ...{ magnitudeMean: 20, magnitudeMin: 10, magnitudeMax: 40, marginMean: 0.5 },
  ...{ skipped: 0, imagesPerSecond: 100, secondsLeft: 60 },
});

/** Where the points of a chart's line lie from left to right. */
const across = (svg: string): number[] => {
  const path = /aria-label="line"[^>]*>\s*<path d="([^"]+)"/.exec(svg)?.[1] ?? '';
  return [...path.matchAll(/[ML]([\d.]+),/g)].map(([, x]) => Number(x));
};

const resumed = [metrics(100, 800), metrics(200, 1600), metrics(150, 2400), metrics(200, 3200)];

test.each([
  ['a curve', stepCurve(resumed, { label: 'L', value: ({ lossId }) => lossId })],
  ['the magnitudes', magnitudeCurve(resumed)],
])('draws %s over images seen if a run was resumed with a larger batch', (_, svg) => {
  const places = across(svg);
  expect(places).toHaveLength(4);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(svg).toContain('Images seen');
  expect(svg).toContain('>2k<');
  expect(svg).not.toContain('Step');
});

test('draws curves over steps in any other run', () => {
  const svg = stepCurve([metrics(100, 800), metrics(200, 1600)], { label: 'L', value: ({ lossId }) => lossId });
  expect(svg).toContain('L by step');
  expect(svg).not.toContain('Images seen');
});
