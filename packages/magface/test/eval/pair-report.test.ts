import { expect, test } from 'vitest';
import type { LoadedPairs } from '../../src/eval/load-pairs.ts';
import { measureModel } from '../../src/eval/measure-model.ts';
import { pairQuality } from '../../src/eval/reject.ts';
import { cosineSimilarities } from '../../src/eval/verification.ts';

/** Twelve people on a circle, two images of each 5 degrees apart, but for the last, whose images are 50 apart. */
function circle(): LoadedPairs {
  const angles = Array.from({ length: 24 }, (_, row) => 30 * (row >> 1) + (row % 2) * (row === 23 ? 50 : 5));
  const values = Float32Array.from(
    angles.flatMap((angle, row) => [Math.cos, Math.sin].map((f) => (10 + row) * f((angle * Math.PI) / 180))),
  );
  const features = { values, dimension: 2, names: angles.map((_, row) => `p${row >> 1}/${row % 2}.jpg`) };
  const rows = {
    left: Uint32Array.from({ length: 24 }, (_, i) => 2 * (i % 12)),
    right: Uint32Array.from({ length: 24 }, (_, i) => (i < 12 ? 2 * i + 1 : (2 * (i % 12) + 3) % 24)),
    same: Uint8Array.from({ length: 24 }, (_, i) => (i < 12 ? 1 : 0)),
  };
  const qualities = Float64Array.from(angles, (_, row) => 10 + row);
  const views = angles.map((_, row) => (row < 6 ? 'profile' : 'frontal'));
  const quality = pairQuality(qualities, rows);
  const similarities = cosineSimilarities(features, rows);
  return { features, rows, similarities, same: rows.same, qualities, quality, columns: {}, views };
}

test('contains the hardest pairs, bars that add up to one, and curves at the resolvable rate', () => {
  const { report } = measureModel(circle(), 'circle', { folds: 4, examples: 2 });
  expect(report.hardest.genuine[0]).toMatchObject({ left: 'p11/0.jpg', right: 'p11/1.jpg', quality: 32 });
  expect(report.hardest.genuine[0]!.similarity).toBeCloseTo(Math.cos((50 * Math.PI) / 180), 6);
  expect(report.hardest.impostor).toHaveLength(2);
  expect(report.hardest.impostor[0]!.similarity).toBeCloseTo(Math.cos((35 * Math.PI) / 180), 6);
  for (const bins of [report.similarities, report.qualities]) {
    expect(bins).toHaveLength(40);
    expect(bins.reduce((sum, { genuine }) => sum + genuine, 0)).toBeCloseTo(1, 12);
    expect(bins.reduce((sum, { impostor }) => sum + impostor, 0)).toBeCloseTo(1, 12);
  }
  expect(report.reject.fmr).toBe(0.1);
  expect(report.thresholds.map(({ far }) => far)).toEqual([0.1]);
  expect(report.roc[0]!.far).toBeCloseTo(1 / 12, 12);
  for (const [i, point] of report.roc.entries())
    if (i > 0) expect(point.tar).toBeGreaterThanOrEqual(report.roc[i - 1]!.tar);
});
