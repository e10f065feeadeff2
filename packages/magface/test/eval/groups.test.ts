import { describe, expect, test } from 'vitest';
import { ratesByGroup } from '../../src/eval/groups.ts';
import type { QualifiedPairs } from '../../src/eval/quality-decision.ts';

describe('ratesByGroup', () => {
  const pairs: QualifiedPairs = {
    similarities: Float64Array.from([0.9, 0.4, 0.8, 0.7, 0.1, 0.2, 0.5, 0.3, 0.6]),
    same: Uint8Array.from([1, 1, 1, 1, 0, 0, 0, 0, 1]),
    quality: Float64Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9]),
  };
  const column = ['x', 'x', 'y', 'y', 'x', 'y', 'y', 'y', 'z'];

  test('measures all groups at the threshold of all pairs', () => {
    const report = ratesByGroup(pairs, column, 0.25);
    expect(report.threshold).toBeCloseTo(0.3, 12); // one of four impostors passes: 0.5
    expect(
      report.groups.map(({ group, genuine, impostor, fnmr, fmr }) => [group, genuine, impostor, fnmr, fmr]),
    ).toEqual([
      ['y', 2, 3, 0, 1 / 3],
      ['x', 2, 1, 0, 0],
      ['z', 1, 0, 0, null],
    ]);
    expect(report.groups[0]!.quality).toEqual({ p5: 3.2, p25: 4, p50: 6, p75: 7, p95: 7.8 });
    expect([report.fnmrRatio, report.fmrRatio]).toEqual([null, null]);
  });

  test('divides the rate of the worst group by that of the best', () => {
    const even = { ...pairs, similarities: Float64Array.from([0.9, 0.1, 0.8, 0.2, 0.5, 0.2, 0.5, 0.3, 0.2]) };
    const report = ratesByGroup(even, ['x', 'x', 'y', 'y', 'x', 'y', 'y', 'y', 'y'], 0.5);
    expect(report.fnmrRatio).toBeCloseTo(2 / 3 / (1 / 2), 12);
    expect(report.fmrRatio).toBeCloseTo(3, 12);
  });

  test('rejects a column of another length', () => {
    expect(() => ratesByGroup(pairs, ['x'], 0.25)).toThrow('Expected one group per pair but received 1 for 9 pairs');
  });
});
