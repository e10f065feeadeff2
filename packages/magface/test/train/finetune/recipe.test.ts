import { expect, test } from 'vitest';
import { collapseWarning } from '../../../src/train/finetune/collapse-warning.ts';
import { leastLambdaG, magfaceDefaults } from '../../../src/train/model/magface-loss.ts';
import { magnitudeQuantiles, recipeFor } from '../../../src/train/model/recipe.ts';

const quantiles = { p1: 2, p25: 3, p50: 3.5, p75: 4, p99: 5 };

test('puts limits beyond the quantiles, and lambda_g a quarter above its bound', () => {
  const recipe = recipeFor(quantiles, 64);
  expect(recipe).toMatchObject({ lowerMagnitude: 1.3, upperMagnitude: 5.75, lowerMargin: 0.35, upperMargin: 0.7 });
  // s·k·u_a²·l_a² / (u_a² − l_a²) with k = 0.35 / 4.45: 64 · 0.07865 · 33.0625 · 1.69 / 31.3725
  expect(recipe.lambdaG / 1.25).toBeCloseTo(8.97, 1);
  expect(recipe.lambdaG).toBeGreaterThan(leastLambdaG({ ...magfaceDefaults, ...recipe }));
});

test('interpolates quantiles of magnitudes', () => {
  expect(magnitudeQuantiles(Float32Array.from({ length: 101 }, (_, i) => 100 - i))).toEqual({
    p1: 1,
    p25: 25,
    p50: 50,
    p75: 75,
    p99: 99,
  });
});

test('rejects features that all have the same length', () => {
  expect(() => recipeFor({ p1: 1, p25: 1, p50: 1, p75: 1, p99: 1 }, 64)).toThrow(
    expect.objectContaining({ code: 'recipe_impossible', message: expect.stringContaining('all are 1.000') }),
  );
});

test('warns if magnitudes converge or accumulate at a limit', () => {
  const limits = { lowerMagnitude: 1.3, upperMagnitude: 5.75 };
  expect(collapseWarning(quantiles, quantiles, limits)).toBeUndefined();
  expect(collapseWarning({ ...quantiles, p1: 3.4, p99: 4.6 }, quantiles, limits)).toMatch(
    /converged to \[3\.40, 4\.60\]/,
  );
  expect(collapseWarning({ ...quantiles, p1: 1, p25: 1.2 }, quantiles, limits)).toMatch(/at or below l_a 1\.3/);
  expect(collapseWarning({ ...quantiles, p75: 5.8, p99: 7 }, quantiles, limits)).toMatch(/at or above u_a 5\.75/);
});
