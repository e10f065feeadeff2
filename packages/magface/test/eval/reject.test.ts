import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { magnitudesOf } from '../../src/eval/feature-set.ts';
import {
  errorVersusReject,
  officialRejectRates,
  pairQuality,
  type RejectOptions,
  rejectBaselines,
} from '../../src/eval/reject.ts';
import { cosineSimilarities } from '../../src/eval/verification.ts';
import { goldenEvaluation, goldenFeatures, goldenPairs } from './golden.ts';

describe('official features and pairs', () => {
  test('official thresholds give the official curve, with null and a note for the two rates it skips silently', () => {
    const [features, pairs] = [goldenFeatures('eval/features.list'), goldenPairs()];
    const quality = pairQuality(magnitudesOf(features), pairs);
    const curve = errorVersusReject(cosineSimilarities(features, pairs), pairs.same, quality, {
      threshold: 'official',
    });
    const golden = goldenEvaluation().errorVersusReject;
    expect(curve.rejectRates.map((rate) => rate.toFixed(2))).toEqual(golden.rejectRates.map((rate) => rate.toFixed(2)));
    expect(curve.fnmr.slice(0, 18)).toEqual(golden.fnmr);
    expect(curve.fnmr.slice(18)).toEqual([null, null]);
    expect(curve.limits).toEqual(['FMR 0.001 cannot be measured with 90 %, 95 % rejected: too few pairs are left.']);
    expect(() => errorVersusReject(cosineSimilarities(features, pairs), pairs.same, quality)).toThrow(
      'Expected at least 1000 impostor pairs for a rate of 0.001 but received 750',
    );
  });
});

/** Ten genuine pairs at 0.1, 0.2, … 1 and ten impostors at 0.05, 0.15, … 0.95. */
const similarities = Float64Array.from({ length: 20 }, (_, i) => (i < 10 ? (i + 1) / 10 : (2 * (i - 10) + 1) / 20));
const same = Uint8Array.from({ length: 20 }, (_, i) => (i < 10 ? 1 : 0));

describe('pairs of equal quality are rejected together', () => {
  test('listing genuine pairs first gains nothing: 23.3 %, where list order gave 14.6 %', () => {
    // 120 genuine pairs, then 70 impostors, all of quality 50; 28 genuine pairs are refused, 16 of them among the first 38.
    const labels = Uint8Array.from({ length: 190 }, (_, i) => (i < 120 ? 1 : 0));
    const scores = Float64Array.from(labels, (label, i) => (label === 0 ? 0.5 : i < 16 || i >= 108 ? 0.2 : 0.9));
    const quality = new Float64Array(190).fill(50);
    const options = { fmr: 0.1, rejectRates: [0, 0.2] };
    const curve = errorVersusReject(scores, labels, quality, options);
    expect(curve.fnmr).toEqual([28 / 120, 28 / 120]);
    expect(curve.genuineLeft).toEqual([120, 96]);
    // Where the order of the list decides: the first 38 of it go.
    const byList = errorVersusReject(scores, labels, Float64Array.from(quality.keys()), options);
    expect(byList.fnmr[1]).toBe(12 / 82);
    expect(byList.fnmr[1]!.toFixed(3)).toBe('0.146');
    expect(curve.fnmr[1]!.toFixed(3)).toBe('0.233');
  });

  const rules = ['official', 'exact', 'fixed'] as const;
  const rates = [0, 0.1, 0.25, 0.4, 0.77];
  const someCosine = fc.integer({ min: -4, max: 4 }).map((value) => value / 4);
  /** Few different qualities and cosines: ties everywhere. */
  const somePair = fc.record({
    cosine: someCosine,
    label: fc.constantFrom(0, 1),
    quality: fc.integer({ max: 5, min: 0 }),
  });
  const genuinePair = { cosine: 0.25, label: 1, quality: 2 };
  const impostors = Array.from({ length: 11 }, (_, i) => ({ cosine: i / 16, label: 0, quality: i % 3 }));
  const somePairs = fc.array(somePair, { maxLength: 60 }).map((pairs) => [genuinePair, ...impostors, ...pairs]);
  type Pair = typeof genuinePair;
  const curveOf = (pairs: readonly Pair[], options: RejectOptions) =>
    errorVersusReject(
      Float64Array.from(pairs, ({ cosine }) => cosine),
      Uint8Array.from(pairs, ({ label }) => label),
      Float64Array.from(pairs, ({ quality }) => quality),
      { fmr: 0.1, rejectRates: rates, ...options },
    );

  test('any order of the pair list gives the same curve, to the last bit', () => {
    const shuffled = somePairs.chain((pairs) =>
      fc.tuple(fc.constant(pairs), fc.shuffledSubarray(pairs, { minLength: pairs.length })),
    );
    fc.assert(
      fc.property(shuffled, fc.constantFrom(...rules), ([pairs, other], threshold) => {
        expect(curveOf(other, { threshold })).toEqual(curveOf(pairs, { threshold }));
      }),
    );
  });

  test('a constant quality gives a flat curve', () => {
    fc.assert(
      fc.property(somePairs, fc.constantFrom('exact', 'fixed'), (pairs, threshold) => {
        const { fnmr, thresholds, fnmrOfAll } = curveOf(
          pairs.map((pair) => ({ ...pair, quality: 7 })),
          { threshold },
        );
        const told = fnmr.filter((value) => value !== null);
        expect(new Set([...told, fnmrOfAll])).toEqual(new Set([fnmrOfAll]));
        expect(new Set(thresholds.filter((value) => value !== null)).size).toBe(1);
        if (threshold === 'fixed') expect(told).toHaveLength(rates.length);
      }),
    );
  });

  test('the remaining pairs are the mean over all orders of the tied pairs', () => {
    // Every order of six pairs of one quality: which of them go is any choice of them, each as likely.
    const choices = (items: readonly Pair[], keep: number): Pair[][] =>
      keep === 0
        ? [[]]
        : items.flatMap((item, i) => choices(items.slice(i + 1), keep - 1).map((rest) => [item, ...rest]));
    const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    fc.assert(
      fc.property(fc.array(somePair, { minLength: 6, maxLength: 6 }), fc.integer({ min: 1, max: 5 }), (pairs, gone) => {
        const tied = pairs.map((pair) => ({ ...pair, quality: 1 }));
        const above = [{ ...genuinePair, quality: 2 }, ...impostors.map((pair) => ({ ...pair, quality: 2 }))];
        const all = [...above, ...tied];
        const curve = curveOf(all, { threshold: 'fixed', rejectRates: [gone / all.length] });
        const lists = choices(tied, tied.length - gone).map((kept) => [...above, ...kept]);
        const count = (is: (pair: Pair) => boolean): number => mean(lists.map((list) => list.filter(is).length));
        expect(curve.genuineLeft[0]).toBeCloseTo(
          count(({ label }) => label === 1),
          9,
        );
        expect(curve.impostorLeft[0]).toBeCloseTo(
          count(({ label }) => label === 0),
          9,
        );
        const refused = count(({ label, cosine }) => label === 1 && cosine <= curve.thresholds[0]!);
        expect(curve.fnmr[0]! * curve.genuineLeft[0]!).toBeCloseTo(refused, 9);
      }),
      { numRuns: 40 },
    );
  });
});

describe('errorVersusReject', () => {
  const rejectRates = [0, 0.25, 0.5];

  test('exact uses the threshold at the rate of the remaining impostors', () => {
    // Quality is similarity itself: 5 pairs of 20 go at 25 %, 10 at 50 %, the least alike first.
    const curve = errorVersusReject(similarities, same, similarities, { fmr: 0.2, rejectRates, paucLimit: 0.5 });
    expect(curve.thresholds).toEqual([0.75, 0.85, 0.85]);
    expect(curve.fnmr).toEqual([0.7, 0.75, 0.6]);
    expect(curve.pauc).toBeCloseTo((0.725 + 0.675) / 2, 12);
    const later = { fmr: 0.2, rejectRates: rejectRates.slice(1), paucLimit: 0.5 };
    const [, second, third] = curve.fnmr as number[];
    expect(errorVersusReject(similarities, same, similarities, later).pauc).toBeCloseTo((second! + third!) / 2, 12);
  });

  test('gives no area beyond the last rate, and names a rate that cannot be resolved', () => {
    const curve = errorVersusReject(similarities, same, similarities, { fmr: 0.2, rejectRates, paucLimit: 0.75 });
    expect(curve.pauc).toBeNull();
    expect(curve.limits).toEqual([]);
    const short = errorVersusReject(similarities, same, similarities, { fmr: 0.2, rejectRates: [0, 0.75] });
    expect(short.limits).toEqual(['FMR 0.2 cannot be measured with 75 % rejected: too few pairs are left.']);
  });

  test('fixed keeps the threshold of all pairs', () => {
    const curve = errorVersusReject(similarities, same, similarities, { fmr: 0.2, threshold: 'fixed', rejectRates });
    expect(curve.thresholds).toEqual([0.75, 0.75, 0.75]);
    expect(curve.fnmr).toEqual([0.7, 0.625, 0.4]);
  });

  test('chance keeps the rate; the oracle rejects failing genuine pairs first', () => {
    // 7 of 10 are refused. At 25 % 2.5 genuine pairs go: 4.5 errors of 7.5. Impostors that go save no genuine error.
    for (const threshold of ['exact', 'fixed'] as const) {
      const { random, oracle } = rejectBaselines(similarities, same, { fmr: 0.2, rejectRates, threshold });
      expect(random.fnmr).toEqual([0.7, 0.7, 0.7]);
      expect(random.threshold).toBe(threshold);
      expect(oracle.fnmr).toEqual([0.7, 4.5 / 7.5, 2 / 5]);
    }
  });

  test('baselines follow the rule of their curve: null where it is null, exact where it is exact', () => {
    const { random, oracle } = rejectBaselines(similarities, same, { fmr: 0.2, rejectRates: [0, 0.75] });
    expect([random.fnmr, oracle.fnmr]).toEqual([
      [0.7, null],
      [0.7, null],
    ]);
    expect(oracle.thresholds).toEqual([0.75, null]);
  });

  test('a measure that rejects both kinds equally and predicts every error equals the oracle', () => {
    // Genuine pair k and impostor k have one quality; those of errors come first.
    const quality = similarities.map((_, i) => i % 10);
    const options = { fmr: 0.2, rejectRates: [0, 0.1, 0.3, 0.5, 0.6, 0.8], threshold: 'fixed' } as const;
    const best = errorVersusReject(similarities, same, quality, options);
    expect(best.fnmr).toEqual(rejectBaselines(similarities, same, options).oracle.fnmr);
  });

  test('gives pAUC as a mean, as the area of the literature, and relative to no rejection', () => {
    const options = { fmr: 0.2, threshold: 'fixed', rejectRates: [0, 0.1, 0.2, 0.3] } as const;
    const curve = errorVersusReject(similarities, same, new Float64Array(20), options);
    expect([curve.fnmrOfAll, curve.paucLimit, curve.paucRelative]).toEqual([0.7, 0.3, 1]);
    expect(curve.pauc).toBeCloseTo(0.7, 12);
    expect(curve.paucArea).toBeCloseTo(0.21, 12);
    const later = errorVersusReject(similarities, same, similarities, { ...options, rejectRates: [0.1, 0.2, 0.3] });
    expect(later.fnmrOfAll).toBe(0.7);
    expect(later.paucArea! / later.pauc!).toBeCloseTo(0.2, 12);
  });

  test('accepts rates of 1, 2 and 3 %, and counts the pairs left at each', () => {
    const many = Float64Array.from({ length: 400 }, (_, i) => Math.sin(i));
    const labels = Uint8Array.from(many, (_, i) => i % 2);
    const curve = errorVersusReject(many, labels, many, { fmr: 0.1, rejectRates: [0.01, 0.02, 0.03] });
    expect(curve.genuineLeft.map((left, i) => left + curve.impostorLeft[i]!)).toEqual([396, 392, 388]);
    expect(curve.paucLimit).toBe(0.03);
    // 0.29 · 100 is 28.999999999999996 in float64.
    const hundred = errorVersusReject(many.subarray(0, 100), labels.subarray(0, 100), many.subarray(0, 100), {
      fmr: 0.1,
      rejectRates: [0.29],
    });
    expect(hundred.genuineLeft[0]! + hundred.impostorLeft[0]!).toBe(71);
  });

  test.each([
    [
      { fmr: 0.02, threshold: 'official' } as const,
      'Expected 0.1, 0.01, 0.001 … with official thresholds but received 0.02',
    ],
    [{ fmr: 0.001 }, 'Expected at least 1000 impostor pairs for a rate of 0.001 but received 10'],
    [{ fmr: 0.1, rejectRates: [0, 1] }, 'Expected rising reject rates from 0 to below 1 but received 0, 1'],
  ])('rejects %o', (options, message) => {
    expect(() => errorVersusReject(similarities, same, similarities, options)).toThrow(message);
  });

  test('rejects qualities of another length, and NaN', () => {
    expect(() => errorVersusReject(similarities, same, similarities.subarray(1), { fmr: 0.1 })).toThrow(
      '19 for 20 pairs',
    );
    const quality = similarities.slice().fill(Number.NaN, 4, 5);
    expect(() => errorVersusReject(similarities, same, quality, { fmr: 0.1 })).toThrow(
      'quality of pair 5 but received NaN',
    );
  });
});

test('takes the lower quality of the two faces', () => {
  const pairs = { left: Uint32Array.from([0, 1]), right: Uint32Array.from([1, 2]), same: Uint8Array.from([1, 0]) };
  expect(pairQuality([3, 1, 2], pairs)).toEqual(Float64Array.from([1, 1]));
});

test('uses the official rates of numpy, including rounding', () => {
  expect(officialRejectRates).toHaveLength(20);
  expect(officialRejectRates[3]).toBe(0.15000000000000002);
});
