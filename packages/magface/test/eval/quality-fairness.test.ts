import { expect, test } from 'vitest';
import { qualityFairness } from '../../src/eval/quality-fairness.ts';
import { randomStream } from '../../src/random.ts';

const people = (count: number) => {
  const left = Uint32Array.from({ length: count }, (_, i) => i);
  return { left, right: left, count, from: 'pairs' as const };
};

/** Genuine pairs of two groups with their own chance to fail by quality; one person a pair, then as many impostors. */
function twoGroups(fails: (quality: number, group: string) => number, pairs = 1200) {
  const random = randomStream(11);
  const column = Array.from({ length: 2 * pairs }, (_, i) => (i % 3 === 0 ? 'few' : 'many'));
  // Those of `few` have lower qualities.
  const quality = Float64Array.from(column, (group) => random() * 10 - (group === 'few' ? 2 : 0));
  const same = Uint8Array.from(column, (_, i) => (i < pairs ? 1 : 0));
  const similarities = Float64Array.from(column, (group, i) =>
    i >= pairs ? 0.1 * random() : random() < fails(quality[i]!, group) ? 0 : 0.9,
  );
  return { pairs: { similarities, same, quality }, column, people: people(2 * pairs) };
}

test('counts by hand: two bins, two groups', () => {
  const same = Uint8Array.of(1, 1, 1, 1, 1, 1, 1, 1, 0, 0);
  const quality = Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 9);
  const similarities = Float64Array.of(0, 0, 0.9, 0.9, 0, 0.9, 0.9, 0.9, 0.1, 0.2);
  const column = ['x', 'x', 'y', 'y', 'x', 'y', 'y', 'y', 'x', 'y'];
  const options = { column, fmr: 0.5, bins: 2, replicates: 100 };
  const found = qualityFairness({ similarities, same, quality }, people(10), options);
  expect(found.bins).toEqual([
    { from: 1, genuine: 4, fnmr: 0.5 },
    { from: 5, genuine: 4, fnmr: 0.25 },
  ]);
  const x = found.groups.find(({ group }) => group === 'x')!;
  expect(x).toMatchObject({
    genuine: 3,
    fnmr: 1,
    bins: [
      { genuine: 2, fnmr: 1 },
      { genuine: 1, fnmr: 1 },
    ],
  });
  expect(x.expected).toBeCloseTo((2 * 0.5 + 0.25) / 3, 12);
  expect(x.ratio).toBeCloseTo(1 / ((2 * 0.5 + 0.25) / 3), 12);
  // (2 - 1)² / 0.5 twice in the first bin; (1 - 0.25)² / 0.1875 and (0 - 0.75)² / 0.5625 in the second.
  expect(found.statistic).toBeCloseTo(2 + 2 + 3 + 1, 12);
});

test('groups of other qualities but the same meaning pass, although their FNMR differ', () => {
  const { pairs, column, people: who } = twoGroups((quality) => (quality < 3 ? 0.6 : 0.02), 3000);
  const { groups, p } = qualityFairness(pairs, who, { column, fmr: 0.01, bins: 6, replicates: 200, shuffles: 199 });
  const few = groups.find(({ group }) => group === 'few')!;
  const many = groups.find(({ group }) => group === 'many')!;
  expect(few.fnmr! / many.fnmr!).toBeGreaterThan(1.25);
  expect(few.ratioInterval![0]).toBeLessThan(1);
  expect(few.ratioInterval![1]).toBeGreaterThan(1);
  expect(p).toBeGreaterThan(0.05);
});

test('a group that fails more often at the same quality is found', () => {
  const { pairs, column, people: who } = twoGroups((_, group) => (group === 'few' ? 0.3 : 0.1));
  const { groups, p } = qualityFairness(pairs, who, { column, fmr: 0.01, replicates: 200, shuffles: 199 });
  expect(p).toBe(1 / 200);
  expect(groups.find(({ group }) => group === 'few')!.ratioInterval![0]).toBeGreaterThan(1.3);
});

test('pairs of one person count as one block, so one bad person proves nothing', () => {
  // One person of group x has half of its pairs, all of which fail.
  const pairs = 40;
  const same = Uint8Array.from({ length: 2 * pairs }, (_, i) => (i < pairs ? 1 : 0));
  const similarities = Float64Array.from(same, (label, i) => (label === 0 ? 0.1 : i < 10 ? 0 : 0.9));
  const quality = Float64Array.from(same.keys());
  const column = Array.from(same, (_, i) => (i % pairs < 20 ? 'x' : 'y'));
  const left = Uint32Array.from(same.keys(), (i) => (i < 10 ? 0 : i));
  const who = { left, right: left, count: 2 * pairs, from: 'pairs' as const };
  const options = { column, fmr: 0.1, bins: 1, replicates: 100, shuffles: 199 };
  expect(qualityFairness({ similarities, same, quality }, who, options).p).toBeGreaterThan(0.05);
  const alone = people(2 * pairs);
  expect(qualityFairness({ similarities, same, quality }, alone, options).p).toBeLessThan(0.05);
});

test('one group has nothing to differ from; a short column is refused', () => {
  const { pairs, column, people: who } = twoGroups(() => 0.1, 100);
  const options = { column: column.map(() => 'all'), fmr: 0.1, replicates: 100 };
  expect(qualityFairness(pairs, who, options).p).toBe(null);
  expect(() => qualityFairness(pairs, who, { column: ['x'] })).toThrow('Expected one group per pair but received 1');
  expect(() => qualityFairness(pairs, who, { ...options, bins: 0 })).toThrow('Expected one or more bins');
});
