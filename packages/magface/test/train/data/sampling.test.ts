/** Draws of samples: by person, by set, and the same for the same seed and epoch. */
import { expect, test } from 'vitest';
import { Loader } from '../../../src/train/data/loader.ts';
import { sampler } from '../../../src/train/data/sample-order.ts';
import type { Dataset } from '../../../src/train/data/samples.ts';

/** Person 0 has 60 images, 1 has 30, 2 has 10; the last two are the second set. */
const labels = [...new Array(60).fill(0), ...new Array(30).fill(1), ...new Array(10).fill(2)] as number[];
const drawn = { labels, sets: [0, 60] };

/** Share of each person over many epochs. */
function shares(sampling: Parameters<typeof sampler>[1]): number[] {
  const draw = sampler(drawn, sampling);
  const counts = [0, 0, 0];
  for (let epoch = 0; epoch < 100; epoch++) for (const i of draw(7, epoch)) counts[labels[i]!]!++;
  return counts.map((count) => count / 10_000);
}

/** Ten thousand draws: three standard deviations are 0.015. */
function expectNear(found: readonly number[], expected: readonly number[]): void {
  for (const [i, share] of expected.entries()) expect(Math.abs(found[i]! - share)).toBeLessThan(0.015);
}

test('draws each person equally often, whatever the number of images', () => {
  expectNear(shares({ by: 'people' }), [1 / 3, 1 / 3, 1 / 3]);
});

test('draws sets by their weights, and images or people within', () => {
  expectNear(shares({ setWeights: [1, 3] }), [0.25, 0.5625, 0.1875]);
  expectNear(shares({ by: 'people', setWeights: [1, 1] }), [0.5, 0.25, 0.25]);
});

test('is a function of seed and epoch, and draws every image in time', () => {
  const draw = sampler(drawn, { by: 'people' });
  expect(draw(1, 2)).toEqual(draw(1, 2));
  expect(draw(1, 2)).not.toEqual(draw(1, 3));
  expect(draw(1, 2)).not.toEqual(draw(2, 2));
  const seen = new Set(Array.from({ length: 60 }, (_, epoch) => [...draw(1, epoch)]).flat());
  expect(seen.size).toBe(100);
});

test('needs a weight for each set', () => {
  const samples = labels.map((label, i) => ({ path: `${i}.jpg`, label }));
  const dataset: Dataset = { samples, classes: 3, sets: [0, 60] };
  const options = { batchSize: 4, seed: 1, workers: 0 };
  expect(() => new Loader(dataset, { ...options, sampling: { setWeights: [1] } })).toThrow(
    /a weight for each of the 2 sets of --train-list but received 1/,
  );
});
