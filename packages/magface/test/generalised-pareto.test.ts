/** The tail's fit against SciPy 1.17: `genpareto.sf`, and Nelder-Mead on `genpareto.logpdf` with and without the prior. */
import { expect, test } from 'vitest';
import { fitGeneralisedPareto, survival } from '../src/generalised-pareto.ts';

/** `genpareto.rvs(-0.15, scale=0.05, size=40, random_state=default_rng(5))`, rounded. */
const excesses = [
  0.07249, 0.07308, 0.03432, 0.01641, 0.00276, 0.02332, 0.02525, 0.00231, 0.00249, 0.21845, 0.04886, 0.0131, 0.02735,
  0.14073, 0.09654, 0.08113, 0.024, 0.03229, 0.05193, 0.00312, 0.03818, 0.01546, 0.0907, 0.0033, 0.05226, 0.0879,
  0.01265, 0.09577, 0.08851, 0.00093, 0.05613, 6e-5, 0.03322, 0.02749, 0.01117, 0.01908, 0.07273, 0.01849, 0.00797,
  0.05487,
];

test('survival is SciPy’s', () => {
  expect(survival(0.1, { shape: -0.2, scale: 0.05 })).toBeCloseTo(0.07776, 12);
  expect(survival(0.3, { shape: 0.1, scale: 0.05 })).toBeCloseTo(0.009094947017729286, 12);
  expect(survival(0.1, { shape: 0, scale: 0.05 })).toBeCloseTo(0.1353352832366127, 12);
  expect(survival(0.3, { shape: -0.2, scale: 0.05 })).toBe(0);
  expect(survival(-0.1, { shape: 0.1, scale: 0.05 })).toBe(1);
});

test('the fit is SciPy’s, by maximum likelihood and with a prior of the shape', () => {
  const plain = fitGeneralisedPareto(excesses, { mean: 0, deviation: Number.POSITIVE_INFINITY });
  expect(plain.shape).toBeCloseTo(-0.012955, 3);
  expect(plain.scale).toBeCloseTo(0.044996, 4);
  const prior = fitGeneralisedPareto(excesses, { mean: -0.1, deviation: 0.1 });
  expect(prior.shape).toBeCloseTo(-0.072869, 3);
  expect(prior.scale).toBeCloseTo(0.048084, 4);
});

test('too few excesses are refused', () => {
  expect(() => fitGeneralisedPareto([0.1], { mean: 0, deviation: 1 })).toThrow('Expected two or more excesses above 0');
  expect(() => fitGeneralisedPareto([0, 0], { mean: 0, deviation: 1 })).toThrow('with a mean of 0');
});
