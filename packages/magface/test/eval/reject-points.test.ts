/** Curves at a start FNMR, and rates of pairs, genuine pairs and faces, against numpy. */
import { expect, test } from 'vitest';
import { errorVersusReject, pairQuality, rejectBaselines } from '../../src/eval/reject.ts';
import type { RejectUnit } from '../../src/eval/reject-points.ts';
import { fixtureJson } from '../support/fixtures.ts';

interface Golden {
  readonly quality: number[];
  readonly left: number[];
  readonly right: number[];
  readonly same: number[];
  readonly similarity: number[];
  readonly start: number;
  readonly rates: number[];
  readonly limit: number;
  readonly fmr: number;
  readonly curves: Record<RejectUnit, { fnmr: number; genuineLeft: number; impostorLeft: number }[]>;
}

const golden = fixtureJson<Golden>('quality-curves/expected.json');
const same = Uint8Array.from(golden.same);
const rows = { left: Uint32Array.from(golden.left), right: Uint32Array.from(golden.right), same };
const similarities = Float64Array.from(golden.similarity);
const quality = pairQuality(golden.quality, rows);
const faces = [...new Set([...golden.left, ...golden.right])].map((row) => golden.quality[row]!);
const options = { startFnmr: golden.start, rejectRates: golden.rates };
const units = ['pairs', 'genuine', 'templates'] as const;

test.each(units)('gives the curve of numpy at a start FNMR, rejecting by %s', (unit) => {
  const curve = errorVersusReject(similarities, same, quality, { ...options, unit, faces });
  expect(curve).toMatchObject({ threshold: 'start', startFnmr: 0.05, unit });
  expect(curve.fmr).toBeCloseTo(golden.fmr, 12);
  expect(curve.thresholds).toEqual(golden.rates.map(() => golden.limit));
  golden.curves[unit].forEach((point, i) => {
    expect(curve.fnmr[i], `at ${golden.rates[i]}`).toBeCloseTo(point.fnmr, 12);
    expect(curve.genuineLeft[i]).toBeCloseTo(point.genuineLeft, 9);
    expect(curve.impostorLeft[i]).toBeCloseTo(point.impostorLeft, 9);
  });
  expect(curve.fnmrOfAll).toBeLessThanOrEqual(0.05);
});

test('gives areas to 20 % and 30 %, by the trapezoid rule, and only as far as the rates go', () => {
  const curve = errorVersusReject(similarities, same, quality, options);
  const area = (last: number): number =>
    Array.from({ length: last }, (_, i) => (0.05 * (curve.fnmr[i]! + curve.fnmr[i + 1]!)) / 2).reduce((a, b) => a + b);
  expect(curve.areas.map(({ paucLimit }) => paucLimit)).toEqual([0.2, 0.3]);
  expect(curve.areas[0]!.paucArea).toBeCloseTo(area(4), 12);
  expect(curve.areas[1]!.paucArea).toBeCloseTo(area(6), 12);
  expect(curve.areas[0]!.paucRelative).toBeCloseTo(area(4) / 0.2 / curve.fnmrOfAll!, 12);
  expect(curve.paucArea).toBe(curve.areas[1]!.paucArea);
  expect(errorVersusReject(similarities, same, quality, { ...options, rejectRates: [0, 0.25] }).areas).toHaveLength(1);
});

test.each(units)('chance stays at the start FNMR and the oracle is no worse, by %s', (unit) => {
  const { random, oracle } = rejectBaselines(similarities, same, { ...options, unit, faces });
  for (const value of random.fnmr) expect(value).toBeCloseTo(random.fnmrOfAll!, 12);
  expect(random.fnmrOfAll).toBeCloseTo(golden.curves.pairs[0]!.fnmr, 12);
  expect(oracle.fnmr.at(-1)).toBeLessThan(random.fnmr.at(-1)!);
});

test('a face of low quality takes all its pairs along, once', () => {
  // Face 0 is the worst and in both genuine pairs that fail.
  const labels = Uint8Array.of(1, 1, 1, 1, 0);
  const scores = Float64Array.of(0.1, 0.1, 0.8, 0.9, 0.2);
  const ends = { left: Uint32Array.of(0, 0, 1, 3, 2), right: Uint32Array.of(1, 2, 2, 4, 4), same: labels };
  const qualities = [1, 5, 6, 7, 8];
  const curve = errorVersusReject(scores, labels, pairQuality(qualities, ends), {
    ...{ startFnmr: 0.5, rejectRates: [0, 0.2], unit: 'templates', faces: qualities },
  });
  expect(curve.fnmr).toEqual([0.5, 0]);
  expect(curve.genuineLeft).toEqual([4, 2]);
});

test('equally bad genuine pairs are refused together, and only if all of them may be', () => {
  const labels = Uint8Array.of(1, 1, 1, 1, 0);
  const scores = Float64Array.of(0.1, 0.3, 0.3, 0.9, 0.2);
  const at = (startFnmr: number) =>
    errorVersusReject(scores, labels, new Float64Array(5), { startFnmr, rejectRates: [0, 0.1] });
  expect([at(0.25), at(0.5), at(0.75)].map(({ fnmrOfAll, fmr }) => [fnmrOfAll, fmr])).toEqual([
    [0.25, 1],
    [0.25, 1],
    [0.75, 0],
  ]);
  expect(() => at(0.1)).toThrow('Expected at least 10 genuine pairs of different similarity for a start FNMR of 0.1');
});

test('names options that contradict each other', () => {
  const run = (more: object) => () => errorVersusReject(similarities, same, quality, { ...options, ...more });
  expect(run({ threshold: 'exact' })).toThrow('with the threshold rule "start" alone but received 0.05 with "exact"');
  expect(run({ startFnmr: 1 })).toThrow('a start FNMR between 0 and 1');
  expect(run({ startFnmr: undefined, threshold: 'start' })).toThrow('received undefined with "start"');
  expect(run({ unit: 'templates' })).toThrow('Expected the quality of each face to reject by templates');
});
