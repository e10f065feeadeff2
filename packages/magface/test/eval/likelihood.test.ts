/** The fit against SciPy's minimizers, and Cllr against NumPy. */
import { expect, test } from 'vitest';
import { fitLikelihood } from '../../src/eval/fit-likelihood.ts';
import { isotonicPosteriors, likelihoodCost } from '../../src/eval/likelihood-cost.ts';

const pairs = {
  similarities: Float64Array.of(
    0.62,
    0.55,
    0.48,
    0.3,
    0.71,
    0.12,
    0.44,
    0.25,
    0.05,
    -0.03,
    0.11,
    0.22,
    0.31,
    0.18,
    -0.1,
    0.02,
  ),
  magnitudes: Float64Array.of(4.2, 3.9, 3.1, 2.5, 4.4, 2.1, 4.0, 3.6, 4.1, 3.0, 2.2, 2.6, 3.9, 4.3, 3.5, 2.0),
  same: Uint8Array.of(1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0),
};
/** Genuine pairs are of people 0 to 7, impostor pairs of each and the next. */
const people = {
  left: Uint32Array.of(0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7),
  right: Uint32Array.of(0, 1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4, 5, 6, 7, 0),
  count: 8,
  from: 'folders',
} as const;

test('the weights are SciPy’s', () => {
  const { weights, covariance, magnitudes, ratios } = fitLikelihood(overlapping(pairs), doubled(people), {
    replicates: 100,
  });
  // BFGS, then Nelder-Mead: 1.957190, 15.406737, -2.241139, 1.588091
  [1.95719, 15.40674, -2.24114, 1.58809].forEach((weight, i) => {
    expect(weights[i]).toBeCloseTo(weight, 3);
  });
  expect(covariance).toHaveLength(10);
  expect(covariance[0]).toBeGreaterThan(0);
  expect(magnitudes).toEqual([2, 4.4]);
  expect(ratios).toEqual([1 / 16, 16]);
});

/** Every pair twice, of other people, so that draws have pairs of both kinds that overlap. */
const overlapping = ({ similarities, magnitudes, same }: typeof pairs): typeof pairs => ({
  similarities: Float64Array.of(...similarities, ...similarities),
  magnitudes: Float64Array.of(...magnitudes, ...magnitudes),
  same: Uint8Array.of(...same, ...same),
});
const doubled = ({ left, right }: { readonly left: Uint32Array; readonly right: Uint32Array }) => ({
  left: Uint32Array.of(...left, ...left.map((person) => person + 8)),
  right: Uint32Array.of(...right, ...right.map((person) => person + 8)),
  count: 16,
  from: 'folders' as const,
});

test('pairs of one kind are refused', () => {
  const one = { ...pairs, same: new Uint8Array(16) };
  expect(() => fitLikelihood(one, people)).toThrow('Expected pairs of both kinds');
  expect(() => likelihoodCost(new Float64Array(2), Uint8Array.of(1, 1))).toThrow('Expected pairs of both kinds');
});

const logs = Float64Array.of(2, 1, 0.5, -0.3, 3, -1, -2, 0.2, -0.5, 1.5);
const same = Uint8Array.of(1, 1, 1, 1, 1, 0, 0, 0, 0, 0);

test('Cllr and its least are NumPy’s; ratios of 1 cost one bit', () => {
  const { cllr, cllrMin, bins } = likelihoodCost(logs, same, 2);
  expect(cllr).toBeCloseTo(0.7546778311445246, 10);
  expect(cllrMin).toBeCloseTo(0.47548875021706827, 9);
  expect(bins.map(({ accepted }) => accepted)).toEqual([0.2, 0.8]);
  expect(likelihoodCost(new Float64Array(10), same).cllr).toBeCloseTo(1, 12);
  expect(likelihoodCost(Float64Array.of(1000, -1000), Uint8Array.of(1, 0)).cllr).toBe(0);
});

test('isotonic regression pools violators, and equal scores', () => {
  const weights = new Float64Array(10).fill(0.1);
  expect([...isotonicPosteriors(logs, same, weights)].map((p) => Number(p.toFixed(6)))).toEqual([
    1, 0.666667, 0.666667, 0.5, 1, 0, 0, 0.5, 0, 0.666667,
  ]);
  expect([...isotonicPosteriors(Float64Array.of(1, 1), Uint8Array.of(0, 1), Float64Array.of(1, 1))]).toEqual([
    0.5, 0.5,
  ]);
});
