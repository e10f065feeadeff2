import { fromArray, noGrad, ProcessGroup, Store, scope } from '@magface/torch';
import { expect, test } from 'vitest';
import { sampleClasses } from '../../../src/train/parallel/sampled-classes.ts';
import { shareOf } from '../../../src/train/parallel/shares.ts';
import { SplitHead } from '../../../src/train/parallel/split-head.ts';
import { describeTraining } from '../golden.ts';
import type { StepTrace } from './rank-steps.ts';
import { runRanks } from './run-ranks.ts';
import { tinyLoss } from './tiny.ts';

test('shares are in order, as even as possible, and complete', () => {
  const shares = [0, 1, 2, 3].map((rank) => shareOf(23, { rank, size: 4 }));
  expect(shares.map(({ first, count }) => [first, count])).toEqual([
    [0, 5],
    [5, 6],
    [11, 6],
    [17, 6],
  ]);
});

test('classes of the batch always take part, and others are drawn at each step', () => {
  const share = shareOf(200, { rank: 1, size: 2 }); // classes 100 to 199
  const labels = BigInt64Array.of(150n, 3n, 199n, 150n);
  const at = (step: number) => sampleClasses(labels, share, { rate: 0.2, seed: 1, rank: 1, step });
  const { rows, own, isHere } = at(0);
  expect(rows).toHaveLength(20);
  expect([...rows]).toEqual([...new Set(rows)].sort((a, b) => Number(a - b)));
  expect([...isHere]).toEqual([1, 0, 1, 1]);
  expect([0, 2, 3].map((sample) => rows[Number(own[sample])])).toEqual([50n, 99n, 50n]);
  expect(at(0)).toEqual(at(0));
  expect(at(1).rows).not.toEqual(rows);
  const seen = new Set(Array.from({ length: 60 }, (_, step) => [...at(step).rows]).flat());
  expect(seen.size).toBe(100);
});

test('all classes of the batch take part even if they exceed the rate', () => {
  const labels = BigInt64Array.from({ length: 8 }, (_, i) => BigInt(i));
  const { rows } = sampleClasses(labels, shareOf(10, { rank: 0, size: 1 }), { rate: 0.1, seed: 1, rank: 0, step: 0 });
  expect([...rows]).toEqual([...labels]);
});

describeTraining('Partial FC', () => {
  test('equals the full head, to the bit, if every class is sampled', async () => {
    const words = [1, 0.999_999].map((sampleRate) => JSON.stringify({ sampleRate }));
    for (const printed of await runRanks(new URL('rank-steps.ts', import.meta.url), 2, words)) {
      const [full, sampled] = (JSON.parse(printed) as StepTrace[][]).map((steps) =>
        steps.map(({ centers: _, ...trace }) => trace),
      );
      expect(sampled).toEqual(full);
    }
  });

  test('keeps center and velocity of classes that do not take part', () => {
    using _ = scope();
    const group = new ProcessGroup(new Store({ isServer: true }), { rank: 0, size: 1, address: '127.0.0.1' });
    const head = new SplitHead(group, 4, 40, { loss: tinyLoss, seed: 1, sampleRate: 0.25 });
    const rowsOf = (values: ArrayLike<unknown>): string[] =>
      Array.from({ length: 40 }, (_, row) => Array.from({ length: 4 }, (_, d) => values[4 * row + d]).join());
    const both = (): string[] => {
      const velocities = rowsOf(head.velocities.toArray());
      return rowsOf(head.centers.toArray()).map((row, i) => `${row} ${velocities[i]}`);
    };
    const learn = (step: number): number[] => {
      const before = both();
      const features = fromArray(Float32Array.of(1, 2, 3, 4, -4, 3, 0, 1), [2, 4]);
      features.requiresGrad = true;
      head.backward(features, fromArray(BigInt64Array.of(7n, 30n)), 1, step);
      using _noGrad = noGrad();
      head.step({ lr: 0.1, momentum: 0.9, weightDecay: 0.01 });
      return both().flatMap((row, i) => (row === before[i] ? [] : [i]));
    };
    const [first, second] = [learn(0), learn(1)];
    expect(first).toHaveLength(10);
    expect(first).toEqual(expect.arrayContaining([7, 30]));
    expect(second).toHaveLength(10);
    expect(second).not.toEqual(first);
  });
});
