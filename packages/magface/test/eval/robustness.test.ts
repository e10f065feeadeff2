import { expect, test } from 'vitest';
import { type DamageCurve, robustnessReport } from '../../src/eval/robustness.ts';

const strengths = [0, 0.5, 1];
const falling = (start: number): DamageCurve => ({
  magnitudes: [start, start - 1, start - 3],
  similarities: [1, 0.9, 0.5],
});
const rising: DamageCurve = { magnitudes: [10, 11, 12], similarities: [1, 0.9, 0.5] };

test('gives −1 and 1 for a quality that falls with damage and predicts similarity', () => {
  const report = robustnessReport(new Map([['blur', [falling(20), falling(15), falling(10)]]]), strengths);
  expect(report.faces).toBe(3);
  expect(report.kinds[0]!.fall).toEqual({ value: -1, interval: [-1, -1] });
  expect(report.kinds[0]!.loss.value).toBeCloseTo(1, 12);
  expect(report.kinds[0]!.steps).toEqual([
    { strength: 0, magnitude: { p25: 12.5, p50: 15, p75: 17.5 }, similarity: { p25: 1, p50: 1, p75: 1 } },
    { strength: 0.5, magnitude: { p25: 11.5, p50: 14, p75: 16.5 }, similarity: { p25: 0.9, p50: 0.9, p75: 0.9 } },
    { strength: 1, magnitude: { p25: 9.5, p50: 12, p75: 14.5 }, similarity: { p25: 0.5, p50: 0.5, p75: 0.5 } },
  ]);
});

test('gives the mean over faces and kinds, with an interval over faces', () => {
  const curves = new Map([
    ['blur', [falling(20), falling(15), falling(10), rising]],
    ['noise', [rising, rising, rising, rising]],
  ]);
  const report = robustnessReport(curves, strengths);
  expect(report.kinds.map(({ fall }) => fall.value)).toEqual([-0.5, 1]);
  expect(report.fall.value).toBe(0.25);
  const [low, high] = report.kinds[0]!.fall.interval!;
  expect(low).toBe(-1);
  expect(high).toBeGreaterThan(0);
  expect(report.kinds[1]!.loss.value).toBeCloseTo(-1, 12);
});

test('gives null for damage that changes nothing', () => {
  const still: DamageCurve = { magnitudes: [9, 9, 9], similarities: [1, 1, 1] };
  const [kind] = robustnessReport(new Map([['blur', [still]]]), strengths).kinds;
  expect([kind!.fall, kind!.loss]).toEqual([
    { value: null, interval: null },
    { value: null, interval: null },
  ]);
});

test('rejects no faces, and a single step', () => {
  expect(() => robustnessReport(new Map([['blur', []]]), strengths)).toThrow(/none could be read/);
  expect(() => robustnessReport(new Map([['blur', [falling(9)]]]), [0, 1])).toThrow(
    /at least two steps of damage but received 1/,
  );
});
