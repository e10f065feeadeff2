import fc from 'fast-check';
import { expect, test } from 'vitest';
import { measureClusters } from '../../../src/eval/clusters/cluster-measures.ts';
import { goldenClusters } from './golden-clusters.ts';

const close = (value: number | null, expected: number | null): void =>
  value === null || expected === null ? expect(value).toBe(expected) : expect(value).toBeCloseTo(expected, 12);

test.each(goldenClusters().measures)("gives scikit-learn's pairs and NMI, and B-cubed by its definition", (golden) => {
  const { pairwise, bcubed, nmi } = measureClusters(golden.clusters, golden.people);
  close(pairwise.precision, golden.pairwise[0]!);
  close(pairwise.recall, golden.pairwise[1]!);
  close(bcubed.precision, golden.bcubed[0]!);
  close(bcubed.recall, golden.bcubed[1]!);
  close(nmi, golden.nmi);
});

test('F is the harmonic mean, 0 if nothing is right and null without a pair', () => {
  const half = measureClusters([0, 0, 1, 1], [0, 0, 0, 0]);
  expect(half.pairwise).toEqual({ precision: 1, recall: 1 / 3, f: 0.5 });
  expect(half).toMatchObject({ faces: 4, people: 1, clusters: 2 });
  expect(measureClusters([0, 0, 1, 1], [0, 1, 0, 1]).pairwise).toEqual({ precision: 0, recall: 0, f: 0 });
  expect(measureClusters([0, 1], [0, 1]).pairwise).toEqual({ precision: null, recall: null, f: null });
});

test('swapping clusters and people swaps precision and recall', () => {
  const labels = fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(labels, (both) => {
      const [a, b] = [both.map(([x]) => x), both.map(([, y]) => y)];
      const [ab, ba] = [measureClusters(a, b), measureClusters(b, a)];
      close(ab.pairwise.precision, ba.pairwise.recall);
      close(ab.bcubed.precision, ba.bcubed.recall);
      close(ab.nmi, ba.nmi);
    }),
  );
});

test('rejects labels of another length, and none at all', () => {
  expect(() => measureClusters([0, 1], [0])).toThrow('Expected one person per face but received 1 for 2 faces');
  expect(() => measureClusters([], [])).toThrow('received 0 for 0 faces');
});
