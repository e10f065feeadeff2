import { describe, expect, test } from 'vitest';
import { estimateThresholds } from '../../src/eval/bootstrap.ts';
import { identitiesOf, type PairIdentities } from '../../src/eval/identities.ts';
import type { Pairs } from '../../src/eval/verification.ts';
import { randomStream } from '../../src/random.ts';

const pairsOf = (rows: readonly (readonly [left: number, right: number, same: 0 | 1])[]): Pairs => ({
  left: Uint32Array.from(rows, ([left]) => left),
  right: Uint32Array.from(rows, ([, right]) => right),
  same: Uint8Array.from(rows, ([, , same]) => same),
});

describe('identitiesOf', () => {
  const pairs = pairsOf([
    [0, 1, 1],
    [2, 3, 1],
    [1, 2, 0],
    [0, 4, 0],
  ]);

  test('takes folders as identities if they agree with every label', () => {
    const { left, right, count } = identitiesOf(pairs, ['a/1', 'a/2', 'b/1', 'b/2', 'b/3']);
    expect([[...left], [...right], count]).toEqual([[0, 1, 0, 0], [0, 1, 1, 1], 2]);
  });

  test('takes a folder above if only that agrees', () => {
    const names = ['set/a/front/1', 'set/a/side/2', 'set/b/front/1', 'set/b/side/2', 'set/b/front/3'];
    const { left, right, count, from } = identitiesOf(pairs, names);
    expect([[...left], [...right], count, from]).toEqual([[0, 1, 0, 0], [0, 1, 1, 1], 2, 'folders']);
  });

  test('otherwise joins images by genuine pairs and equal names', () => {
    const { left, right, count } = identitiesOf(pairs, ['x/1', 'x/2', 'x/3', 'x/4', 'x/3']);
    expect([[...left], [...right], count]).toEqual([[0, 1, 0, 0], [0, 1, 1, 1], 2]);
  });

  test('takes an image without a name and without genuine pairs as its own person', () => {
    expect(identitiesOf(pairs).count).toBe(3);
  });
});

/** People whose pairs share how easily they are known and how like others they are: 60 people, two genuine and eleven impostor pairs each. */
function population(seed: number): { similarities: Float64Array; pairs: Pairs } {
  const random = randomStream(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const [ease, likeness] = [0, 1].map(() => Array.from({ length: 60 }, normal)) as [number[], number[]];
  const rows: [number, number, 0 | 1][] = [];
  const similarities: number[] = [];
  ease.forEach((own, person) => {
    for (let k = 0; k < 2; k++) {
      rows.push([person, person, 1]);
      similarities.push(0.25 + 0.1 * own + 0.05 * normal());
    }
    for (let k = 1; k < 12; k++) {
      const other = (person + 5 * k) % 60;
      rows.push([person, other, 0]);
      similarities.push(0.05 * likeness[person]! + 0.05 * likeness[other]! + 0.1 * normal());
    }
  });
  return { similarities: Float64Array.from(similarities), pairs: pairsOf(rows) };
}

describe('estimateThresholds', () => {
  test('gives intervals that contain the truth about as often as they claim', () => {
    // Impostors have variance .05² + .05² + .1²: the true threshold at FMR 0.1 is 1.2816 deviations above 0.
    const truth = 1.2816 * Math.sqrt(0.015);
    const runs = Array.from({ length: 60 }, (_, seed) => {
      const { similarities, pairs } = population(seed + 1);
      const [estimate] = estimateThresholds(similarities, pairs.same, identitiesOf(pairs), {
        far: [0.1],
        replicates: 200,
      });
      const [low, high] = estimate!.thresholdInterval;
      return low <= truth && truth <= high;
    });
    expect(runs.filter(Boolean).length).toBeGreaterThanOrEqual(51);
    expect(runs.filter(Boolean).length).toBeLessThanOrEqual(60);
  });

  test('learns no more from five pairs of one person than from one: intervals are √5 times as wide as for five people', () => {
    // 40 people; every second one is refused in all of five genuine pairs. Impostors are all alike.
    const genuine = Array.from({ length: 200 }, (_, i) => [i % 40, i % 40, 1] as const);
    const impostor = Array.from({ length: 40 }, (_, i) => [i, (i + 1) % 40, 0] as const);
    const pairs = pairsOf([...genuine, ...impostor]);
    const similarities = Float64Array.from(pairs.same, (same, i) => (same === 0 ? 0.2 : i % 2 === 0 ? 0.1 : 0.9));
    const people = identitiesOf(pairs);
    const alone = people.left.map((person, i) => (i < 200 ? 40 + i : person));
    const width = (identities: PairIdentities): number => {
      const [estimate] = estimateThresholds(similarities, pairs.same, identities, { far: [0.1] });
      return estimate!.tarInterval[1] - estimate!.tarInterval[0];
    };
    const ratio = width(people) / width({ left: alone, right: people.right, count: 240, from: 'pairs' });
    expect(ratio).toBeGreaterThan(0.85 * Math.sqrt(5));
    expect(ratio).toBeLessThan(1.15 * Math.sqrt(5));
  });

  test('repeats with the same seed, contains the estimate, and omits rates out of reach', () => {
    const { similarities, pairs } = population(1);
    const run = (seed: number) =>
      estimateThresholds(similarities, pairs.same, identitiesOf(pairs), { seed, replicates: 200 });
    expect(run(7)).toEqual(run(7));
    expect(run(7)).not.toEqual(run(8));
    expect(run(7).map(({ far }) => far)).toEqual([0.01]);
    for (const { threshold, thresholdInterval, tar, tarInterval } of run(7)) {
      expect(thresholdInterval[0]).toBeLessThanOrEqual(threshold);
      expect(thresholdInterval[1]).toBeGreaterThanOrEqual(threshold);
      expect(tarInterval[0]).toBeLessThanOrEqual(tar);
      expect(tarInterval[1]).toBeGreaterThanOrEqual(tar);
    }
  });

  test('rejects too few replicates', () => {
    const { similarities, pairs } = population(1);
    expect(() => estimateThresholds(similarities, pairs.same, identitiesOf(pairs), { replicates: 10 })).toThrow(
      'Expected at least 100 replicates',
    );
  });
});
