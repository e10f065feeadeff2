import { expect, test } from 'vitest';
import { learningRate, type ScheduleOptions } from '../../../src/train/loop/schedule.ts';

const official: ScheduleOptions = {
  schedule: 'drops',
  lr: 0.1,
  dropEpochs: [10, 18, 22],
  dropRatio: 0.1,
  warmupEpochs: 0,
  power: 2,
  epochs: 25,
};

test('drops officially: 0.1 to epoch 9, 0.01 to 17, 0.001 to 21, 0.0001 to the end', () => {
  const rates = [0, 9, 10, 17, 18, 21, 22, 24].map((epoch) => learningRate(epoch, 99, 100, official).toPrecision(6));
  expect(rates.map(Number)).toEqual([0.1, 0.1, 0.01, 0.01, 0.001, 0.001, 0.0001, 0.0001]);
});

test('warms up linearly and ends at the full rate', () => {
  const options = { ...official, warmupEpochs: 0.5 };
  const rates = [0, 1, 2, 3, 4, 5].map((step) => learningRate(0, step, 10, options));
  rates.forEach((rate, step) => void expect(rate).toBeCloseTo((0.1 * (step + 1)) / 6, 12));
});

test('falls from the rate to zero with cosine and polynomial', () => {
  const cosine = { ...official, schedule: 'cosine' } as const;
  expect(learningRate(0, 0, 10, cosine)).toBeCloseTo(0.1, 12);
  expect(learningRate(12, 5, 10, cosine)).toBeCloseTo(0.05, 12);
  const polynomial = { ...official, schedule: 'polynomial' } as const;
  expect(learningRate(12, 5, 10, polynomial)).toBeCloseTo(0.025, 12);
  expect(learningRate(25, 0, 10, polynomial)).toBe(0);
});
