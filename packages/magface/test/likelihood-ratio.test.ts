/** Likelihood ratios against NumPy, and the words for them. */
import { expect, test } from 'vitest';
import { describeLikelihood, type LikelihoodModel, likelihoodRatio } from '../src/likelihood-ratio.ts';

const model: LikelihoodModel = {
  weights: [-7, 12, -1.5, 4],
  covariance: [0.051, 0.002, 0.003, 0.004, 0.055, 0.006, 0.007, 0.058, 0.009, 0.06],
  magnitudes: [2, 5],
  ratios: [1 / 600, 100_000],
  source: 'made up',
};

test('ratio and interval are NumPy’s: exp(w·x) and exp(w·x ± 1.96 √(x’Σx)), x = (1, 0.5, 3, 1.5)', () => {
  const { ratio, interval, limited } = likelihoodRatio(0.5, [3, 4], model);
  expect(ratio).toBeCloseTo(1.6487212707001282, 10);
  expect(interval[0]).toBeCloseTo(0.2668610915759344, 6);
  expect(interval[1]).toBeCloseTo(10.186130216309813, 4);
  expect(limited).toBe(false);
});

test('the lesser magnitude counts, within those of the reference faces', () => {
  expect(likelihoodRatio(0.5, [4, 3], model)).toEqual(likelihoodRatio(0.5, [3, 9], model));
  expect(likelihoodRatio(0.5, [1, 3], model)).toEqual(likelihoodRatio(0.5, [2, 3], model));
});

test('ratios stay within what the reference faces can show', () => {
  expect(likelihoodRatio(1, [5, 5], model)).toMatchObject({ ratio: 100_000, limited: true });
  expect(likelihoodRatio(-1, [5, 5], model)).toMatchObject({ ratio: 1 / 600, limited: true });
});

test.each([
  [412, [263, 640], false, 'about 400 times likelier the same person than two people (95 %: 300 to 600)'],
  [45.3, [30.2, 61], false, 'about 45 times likelier the same person than two people (95 %: 30 to 61)'],
  [0.03, [0.02, 0.05], false, 'about 33 times likelier two people than the same person (95 %: 20 to 50)'],
  [
    1.3,
    [0.8, 2.1],
    false,
    'about 1.3 times likelier the same person than two people (95 %: 0.8 to 2.1), which says little',
  ],
  [
    100_000,
    [20_000, 100_000],
    true,
    'at least 100,000 times likelier the same person than two people, the most that the reference faces can show',
  ],
] as const)('%s in words', (ratio, interval, limited, words) => {
  expect(describeLikelihood({ ratio, interval, limited })).toBe(words);
});
