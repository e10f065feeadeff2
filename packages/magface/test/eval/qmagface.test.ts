/** QMagFace's score and fit against plain Python (test/fixtures/heads/make_pairs.py). */
import { expect, test } from 'vitest';
import { fitQmagface, officialLine, qmagfaceFigures, qmagfaceScore } from '../../src/eval/qmagface.ts';
import { fixtureJson } from '../support/fixtures.ts';
import { u01 } from '../train/golden.ts';

interface GoldenQMagFace {
  readonly pairs: number;
  readonly scores: readonly number[];
  readonly sum: number;
  readonly fit: { readonly alpha: number; readonly beta: number; readonly rates: number };
}

const { qmagface: golden } = fixtureJson<{ qmagface: GoldenQMagFace }>('heads/pairs.json');

const numbers = (name: string): Float32Array => u01(`qmagface/${name}`, golden.pairs);
const quality = Float64Array.from(numbers('q'), (u) => 10 + 20 * u);
const same = Uint8Array.from(numbers('s'), (u) => (u < Math.fround(0.4) ? 1 : 0));
const similarities = Float64Array.from(numbers('c'), (c, i) =>
  same[i] === 1 ? quality[i]! / 40 + 0.5 * c : 2 * c - 1,
);
const pairs = { similarities, same, quality };

test('scores are those of the formula', () => {
  const scores = Float64Array.from(similarities, (s, i) => qmagfaceScore(s, quality[i]!, officialLine));
  for (const [i, score] of golden.scores.entries()) expect(scores[i]).toBeCloseTo(score, 12);
  expect(scores.reduce((sum, score) => sum + score, 0)).toBeCloseTo(golden.sum, 8);
});

test('above α / β nothing changes, below it good pairs lose more', () => {
  expect(qmagfaceScore(0.7, 30, officialLine)).toBe(0.7);
  expect(qmagfaceScore(0.2, 30, officialLine)).toBeLessThan(qmagfaceScore(0.2, 10, officialLine));
});

test('the line is the one that the script fits', () => {
  const { alpha, beta } = fitQmagface(pairs);
  expect(alpha).toBeCloseTo(golden.fit.alpha, 8);
  expect(beta).toBeCloseTo(golden.fit.beta, 8);
});

test('figures by a fitted line use the other folds, and few impostors are refused', () => {
  const given = qmagfaceFigures(pairs, { line: officialLine, folds: 5, far: [0.01] });
  expect(given).toMatchObject({ line: officialLine, fitted: false });
  const fitted = qmagfaceFigures(pairs, { folds: 5, far: [0.01] });
  expect(fitted.fitted).toBe(true);
  expect(fitted.tarAtFar['0.01']).toBeGreaterThan(given.tarAtFar['0.01']! - 0.05);
  const few = { similarities: similarities.slice(0, 100), same: same.slice(0, 100), quality };
  expect(() => fitQmagface(few)).toThrow('Expected at least 100 impostor pairs to fit QMagFace but received');
});
