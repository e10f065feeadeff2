import { expect, test } from 'vitest';
import { measureLowerWidth } from '../../src/eval/measure-lower-width.ts';
import { randomStream } from '../../src/random.ts';

const threshold = { fmr: 1e-3, threshold: 0.5, set: 'test', interval: [0.5, 0.5] } as const;

/** Pairs of an ordinary face of length 5 and a poorer one, which fails with the probability that `half` and `spread` give. */
function pairsWith({ half, spread, count }: { half: number; spread: number; count: number }) {
  const random = randomStream(3);
  const values = new Float32Array(4 * count);
  for (let i = 0; i < count; i++) {
    const magnitude = 1 + 4 * random();
    const cosine = random() < 1 / (1 + Math.exp((magnitude - half) / spread)) ? 0.2 : 0.8;
    values.set([5, 0, magnitude * cosine, magnitude * Math.sqrt(1 - cosine ** 2)], 4 * i);
  }
  const left = Uint32Array.from({ length: count }, (_, i) => 2 * i);
  const pairs = { left, right: left.map((row) => row + 1), same: new Uint8Array(count).fill(1) };
  return [{ values, dimension: 2 }, pairs] as const;
}

test('a face whose comparisons fail half of the time scores 10', () => {
  const scale = { centre: 4.5, thresholds: [threshold] };
  const { half, widthBelow } = measureLowerWidth(...pairsWith({ half: 2.5, spread: 0.3, count: 4000 }), scale) as {
    half: number;
    widthBelow: number;
  };
  expect(half).toBeCloseTo(2.5, 1);
  expect(widthBelow).toBeCloseTo((4.5 - half) / Math.log(9), 12);
});

test('pairs without an ordinary face count for nothing, and too few failures are named', () => {
  const [features, pairs] = pairsWith({ half: 2.5, spread: 0.3, count: 400 });
  const { limit } = measureLowerWidth(features, pairs, { centre: 6, thresholds: [threshold] });
  expect(limit).toBe(
    'The scale has one width, because its lower side could not be fitted: expected at least 50 comparisons that fail and as many that succeed but received 0 and 0: add poor faces.',
  );
});

test('without a threshold at FMR 1e-3 nothing is fitted', () => {
  const result = measureLowerWidth(...pairsWith({ half: 2.5, spread: 0.3, count: 400 }), {
    centre: 4.5,
    thresholds: [],
  });
  expect(result.limit).toContain('it needs the threshold at FMR 1e-3');
});
