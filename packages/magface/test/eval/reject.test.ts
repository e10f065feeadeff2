import { describe, expect, test } from 'vitest';
import { magnitudesOf } from '../../src/eval/feature-set.ts';
import { errorVersusReject, officialRejectRates, pairQuality, rejectBaselines } from '../../src/eval/reject.ts';
import { cosineSimilarities } from '../../src/eval/verification.ts';
import { goldenEvaluation, goldenFeatures, goldenPairs } from './golden.ts';

describe('official features and pairs', () => {
  test('official thresholds give the official curve; the two rates that it skipped silently are null and said', () => {
    const [features, pairs] = [goldenFeatures('eval/features.list'), goldenPairs()];
    const quality = pairQuality(magnitudesOf(features), pairs);
    const curve = errorVersusReject(cosineSimilarities(features, pairs), pairs.same, quality, {
      threshold: 'official',
    });
    const golden = goldenEvaluation().errorVersusReject;
    expect(curve.rejectRates.map((rate) => rate.toFixed(2))).toEqual(golden.rejectRates.map((rate) => rate.toFixed(2)));
    expect(curve.fnmr.slice(0, 18)).toEqual(golden.fnmr);
    expect(curve.fnmr.slice(18)).toEqual([null, null]);
    expect(curve.limits).toEqual(['Too few pairs are left to tell FMR 0.001 when 90 %, 95 % are rejected.']);
    expect(() => errorVersusReject(cosineSimilarities(features, pairs), pairs.same, quality)).toThrow(
      'Expected at least 1000 impostor pairs for a rate of 0.001 but received 750',
    );
  });
});

/** Ten genuine pairs at 0.1, 0.2, … 1 and ten impostors at 0.05, 0.15, … 0.95. */
const similarities = Float64Array.from({ length: 20 }, (_, i) => (i < 10 ? (i + 1) / 10 : (2 * (i - 10) + 1) / 20));
const same = Uint8Array.from({ length: 20 }, (_, i) => (i < 10 ? 1 : 0));

describe('errorVersusReject', () => {
  const rejectRates = [0, 0.25, 0.5];

  test('exact: the threshold lets the rate of the remaining impostors pass', () => {
    // Quality is similarity itself: 5 pairs of 20 go at 25 %, 10 at 50 %, the least alike first.
    const curve = errorVersusReject(similarities, same, similarities, { fmr: 0.2, rejectRates, paucLimit: 0.5 });
    expect(curve.thresholds).toEqual([0.75, 0.85, 0.85]);
    expect(curve.fnmr).toEqual([0.7, 0.75, 0.6]);
    expect(curve.pauc).toBeCloseTo((0.725 + 0.675) / 2, 12);
    const later = { fmr: 0.2, rejectRates: rejectRates.slice(1), paucLimit: 0.5 };
    const [, second, third] = curve.fnmr as number[];
    expect(errorVersusReject(similarities, same, similarities, later).pauc).toBeCloseTo((second! + third!) / 2, 12);
  });

  test('a limit beyond the last rate has no area; one rate that cannot be told is named', () => {
    const curve = errorVersusReject(similarities, same, similarities, { fmr: 0.2, rejectRates, paucLimit: 0.75 });
    expect(curve.pauc).toBeNull();
    expect(curve.limits).toEqual([]);
    const short = errorVersusReject(similarities, same, similarities, { fmr: 0.2, rejectRates: [0, 0.75] });
    expect(short.limits).toEqual(['Too few pairs are left to tell FMR 0.2 when 75 % are rejected.']);
  });

  test('fixed: the threshold of all pairs stays', () => {
    const curve = errorVersusReject(similarities, same, similarities, { fmr: 0.2, threshold: 'fixed', rejectRates });
    expect(curve.thresholds).toEqual([0.75, 0.75, 0.75]);
    expect(curve.fnmr).toEqual([0.7, 0.625, 0.4]);
  });

  test('the oracle turns errors away first, chance leaves the rate as it is', () => {
    const { random, oracle } = rejectBaselines(similarities, same, { fmr: 0.2, rejectRates });
    expect(random.fnmr).toEqual([0.7, 0.7, 0.7]);
    expect(oracle.fnmr).toEqual([0.7, 2 / 5, 0]);
  });

  test('no quality beats the oracle at a fixed threshold', () => {
    const rates = [0, 0.1, 0.25, 0.35, 0.45];
    const quality = similarities.map((value, i) => (same[i] === 1 ? value : 2));
    const best = errorVersusReject(similarities, same, quality, { fmr: 0.2, threshold: 'fixed', rejectRates: rates });
    expect(best.fnmr).toEqual(rejectBaselines(similarities, same, { fmr: 0.2, rejectRates: rates }).oracle.fnmr);
  });

  test.each([
    [
      { fmr: 0.02, threshold: 'official' } as const,
      'Expected 0.1, 0.01, 0.001 … for official thresholds but received 0.02',
    ],
    [{ fmr: 0.001 }, 'Expected at least 1000 impostor pairs for a rate of 0.001 but received 10'],
    [{ fmr: 0.1, rejectRates: [0, 1] }, 'Expected rising reject rates in [0, 1) but received 0, 1'],
  ])('refuses %o', (options, message) => {
    expect(() => errorVersusReject(similarities, same, similarities, options)).toThrow(message);
  });

  test('qualities of another length, or none, are refused', () => {
    expect(() => errorVersusReject(similarities, same, similarities.subarray(1), { fmr: 0.1 })).toThrow(
      '19 for 20 pairs',
    );
    const quality = similarities.slice().fill(Number.NaN, 4, 5);
    expect(() => errorVersusReject(similarities, same, quality, { fmr: 0.1 })).toThrow(
      'quality of pair 5 but received NaN',
    );
  });
});

test('the quality of a pair is the lower of its two', () => {
  const pairs = { left: Uint32Array.from([0, 1]), right: Uint32Array.from([1, 2]), same: Uint8Array.from([1, 0]) };
  expect(pairQuality([3, 1, 2], pairs)).toEqual(Float64Array.from([1, 1]));
});

test('the official rates are those of numpy, rounding included', () => {
  expect(officialRejectRates).toHaveLength(20);
  expect(officialRejectRates[3]).toBe(0.15000000000000002);
});
