import fc from 'fast-check';
import { expect, test } from 'vitest';
import { areaUnderRoc, equalErrorRate, pointAtFar, splitScores } from '../../src/eval/roc.ts';
import { rocMeter } from '../../src/eval/weighted-roc.ts';
import { fixtureJson } from '../support/fixtures.ts';

interface Figures {
  readonly auc: number;
  /** More than one where several points are as close. */
  readonly eer: readonly number[];
  readonly tarAtFar: Readonly<Record<string, number>>;
}

/** 90 rounded scores, many of them tied, with whole weights from 0 to 3; EER is the mean of FPR and FNR where they are closest. */
const golden = fixtureJson<{
  readonly similarities: number[];
  readonly same: number[];
  readonly weights: number[];
  readonly plain: Figures;
  readonly weighted: Figures;
}>('roc-scikit-learn.json');
const similarities = Float64Array.from(golden.similarities);
const same = Uint8Array.from(golden.same);
const rates = [0.05, 0.1, 0.2];

test("gives scikit-learn's AUC, EER and TAR", () => {
  const scores = splitScores(similarities, same);
  expect(areaUnderRoc(scores)).toBeCloseTo(golden.plain.auc, 12);
  expect(golden.plain.eer.map((eer) => eer.toFixed(12))).toContain(equalErrorRate(scores).toFixed(12));
  for (const rate of rates) expect(pointAtFar(scores, rate).tar).toBeCloseTo(golden.plain.tarAtFar[rate]!, 12);
});

test.each([
  ['plain', golden.weights.map(() => 1)],
  ['weighted', golden.weights],
] as const)("gives scikit-learn's values with sample weights for %s pairs in one pass", (kind, weights) => {
  const { auc, eer, tars } = rocMeter(similarities, same)(weights, rates);
  expect(auc).toBeCloseTo(golden[kind].auc, 12);
  expect(golden[kind].eer.map((value) => value.toFixed(12))).toContain(eer.toFixed(12));
  for (const [i, rate] of rates.entries()) expect(tars[i]).toBeCloseTo(golden[kind].tarAtFar[rate]!, 12);
});

test('treats a weight of k like k pairs', () => {
  const pair = fc.record({
    score: fc.integer({ min: 0, max: 8 }),
    label: fc.constantFrom(0, 1),
    weight: fc.integer({ min: 0, max: 3 }),
  });
  const both = [
    { score: 3, label: 0, weight: 20 },
    { score: 4, label: 1, weight: 1 },
  ];
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 30 }), (some) => {
      const pairs = [...both, ...some];
      const scores = Float64Array.from(pairs, ({ score }) => score);
      const labels = Uint8Array.from(pairs, ({ label }) => label);
      const weights = pairs.map(({ weight }) => weight);
      const { auc, eer, limits, tars } = rocMeter(scores, labels)(weights, [0.1, 0.3]);
      const repeated = pairs.flatMap((one) => Array.from({ length: one.weight }, () => one));
      const split = splitScores(
        Float64Array.from(repeated, ({ score }) => score),
        Uint8Array.from(repeated, ({ label }) => label),
      );
      expect(auc).toBeCloseTo(areaUnderRoc(split), 12);
      expect(eer).toBeCloseTo(equalErrorRate(split), 12);
      const points = [0.1, 0.3].map((rate) => pointAtFar(split, rate));
      expect(tars.map((tar) => tar.toFixed(12))).toEqual(points.map(({ tar }) => tar.toFixed(12)));
      for (const [i, { threshold }] of points.entries()) expect(threshold).toBeGreaterThan(limits[i]!);
    }),
    {
      numRuns: 500,
      // Two thresholds are equally close to the point where the rates meet: rounding once chose between them.
      examples: [
        [
          [
            { score: 0, label: 1, weight: 1 },
            { score: 3, label: 1, weight: 1 },
          ],
        ],
      ],
    },
  );
});
