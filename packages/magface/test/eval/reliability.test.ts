import { expect, test } from 'vitest';
import { fitLogistic, qualityReliability, reliabilityOf } from '../../src/eval/reliability.ts';
import { randomStream } from '../../src/random.ts';
import { fixtureJson } from '../support/fixtures.ts';

interface Golden {
  readonly quality: number[];
  readonly left: number[];
  readonly right: number[];
  readonly same: number[];
  readonly similarity: number[];
  readonly limit: number;
  readonly logistic: [number, number];
  readonly distinct: number[];
  readonly outcome: number[];
  readonly reliability: { predicted: number[]; accepted: number[]; ece: number; brier: number };
}

const golden = fixtureJson<Golden>('quality-curves/expected.json');

test("gives scikit-learn's logistic regression without penalty", () => {
  const genuine = golden.same.flatMap((label, pair) => (label === 1 ? [pair] : []));
  const fit = fitLogistic(
    Float64Array.from(genuine, (pair) =>
      Math.min(golden.quality[golden.left[pair]!]!, golden.quality[golden.right[pair]!]!),
    ),
    Uint8Array.from(genuine, (pair) => (golden.similarity[pair]! > golden.limit ? 1 : 0)),
  );
  expect(fit.intercept).toBeCloseTo(golden.logistic[0], 5);
  expect(fit.slope).toBeCloseTo(golden.logistic[1], 6);
});

test("gives scikit-learn's reliability by bins of equal number, and its Brier score", () => {
  const { bins, ece, brier } = reliabilityOf(Float64Array.from(golden.distinct), Uint8Array.from(golden.outcome), 10);
  expect(bins.map(({ pairs }) => pairs)).toEqual(Array.from({ length: 10 }, () => 20));
  bins.forEach((bin, i) => {
    expect(bin.predicted).toBeCloseTo(golden.reliability.predicted[i]!, 12);
    expect(bin.accepted).toBeCloseTo(golden.reliability.accepted[i]!, 12);
  });
  expect(ece).toBeCloseTo(golden.reliability.ece, 12);
  expect(brier).toBeCloseTo(golden.reliability.brier, 12);
});

test('outcomes that quality separates end in a steep but finite fit', () => {
  const { intercept, slope } = fitLogistic(Float64Array.of(1, 2, 3, 4), Uint8Array.of(0, 0, 1, 1));
  expect(Number.isFinite(intercept) && slope > 5).toBe(true);
  expect(fitLogistic(Float64Array.of(1, 2, 3), Uint8Array.of(1, 1, 1)).intercept).toBeGreaterThan(5);
});

test('equal predictions share a bin', () => {
  const { bins, ece } = reliabilityOf(Float64Array.of(0.5, 0.5, 0.5, 0.5), Uint8Array.of(0, 1, 1, 1), 4);
  expect(bins).toEqual([{ pairs: 4, predicted: 0.5, accepted: 0.75 }]);
  expect(ece).toBe(0.25);
});

/** Genuine pairs accepted with the probability of a known scale, one person each; impostors far below. */
function known(centre: number, pairs = 4000) {
  const random = randomStream(5);
  const quality = Float64Array.from({ length: 2 * pairs }, () => 15 + 15 * random());
  const same = Uint8Array.from(quality, (_, i) => (i < pairs ? 1 : 0));
  const similarities = Float64Array.from(quality, (value, i) =>
    i >= pairs ? 0.1 * random() : random() < 1 / (1 + Math.exp((centre - value) / 2.6)) ? 0.9 : 0,
  );
  const left = Uint32Array.from(quality.keys());
  return {
    pairs: { similarities, same, quality },
    people: { left, right: left, count: 2 * pairs, from: 'pairs' as const },
  };
}

test('a true probability has a small error, a shifted one a large one, and the fit mends it', () => {
  const { pairs, people } = known(23);
  const right = qualityReliability(pairs, people, { fmr: 0.01, scale: { centre: 23, width: 2.6 } });
  const shifted = qualityReliability(pairs, people, { fmr: 0.01, scale: { centre: 27, width: 2.6 } });
  expect(right.genuine).toBe(4000);
  expect(right.score!.ece).toBeLessThan(0.03);
  expect(shifted.score!.ece).toBeGreaterThan(0.2);
  expect(shifted.fitted).toEqual(right.fitted);
  expect(right.fitted.ece).toBeLessThan(0.03);
  expect('score' in qualityReliability(pairs, people, { fmr: 0.01 })).toBe(false);
});

test('needs several people and whole bins', () => {
  const { pairs, people } = known(23, 100);
  const one = { ...people, left: new Uint32Array(200), count: 1 };
  expect(() => qualityReliability(pairs, one, { fmr: 0.1 })).toThrow('genuine pairs of several people');
  expect(() => qualityReliability(pairs, people, { fmr: 0.1, bins: 0 })).toThrow('Expected one or more bins');
});

test('people whose numbers are all even are halved all the same', () => {
  const { pairs, people } = known(23, 100);
  const left = people.left.map((person) => 2 * person);
  const even = qualityReliability(pairs, { ...people, left, count: 400 }, { fmr: 0.1 });
  expect(even).toEqual(qualityReliability(pairs, people, { fmr: 0.1 }));
});
