import { expect, test } from 'vitest';
import { augmented } from '../../../src/train/data/augment.ts';
import { usualKinds } from '../../../src/train/data/draw-damages.ts';
import { augmentationOf } from '../../../src/train/finetune/augmentations.ts';
import { plannedBatches } from '../../../src/train/finetune/batch-plan.ts';

const face = { data: Uint8Array.from({ length: 112 * 112 * 3 }, (_, i) => (i * 37) & 255), width: 112, height: 112 };
const options = { seed: 1, strength: 0.8 };

test('the first two views are the face and its mirror image', () => {
  expect(augmented(face, augmentationOf(7, 0, options))).toBe(face);
  const mirrored = augmented(face, augmentationOf(7, 1, options));
  expect(mirrored.data.subarray(0, 3)).toEqual(face.data.subarray(3 * 111, 3 * 112));
  expect(augmented(mirrored, augmentationOf(7, 1, options)).data).toEqual(face.data);
});

test('damage is a function of seed, sample and view, over all kinds and strengths', () => {
  const views = Array.from({ length: 700 }, (_, sample) => augmentationOf(sample, 2, options));
  expect(augmentationOf(5, 2, options)).toEqual(views[5]);
  expect(augmentationOf(5, 3, options)).not.toEqual(views[5]);
  expect(augmentationOf(5, 2, { ...options, seed: 2 })).not.toEqual(views[5]);
  expect(new Set(views.map(({ damages }) => damages[0]!.kind))).toEqual(new Set(usualKinds));
  const strengths = views.map(({ damages }) => damages[0]!.strength);
  expect(Math.max(...strengths)).toBeLessThanOrEqual(0.8);
  expect(strengths.reduce((a, b) => a + b) / 700).toBeCloseTo(0.4, 1);
  expect(views.filter(({ damages }) => damages.length === 2).length / 700).toBeCloseTo(0.3, 1);
  expect(views.filter(({ flipped }) => flipped).length / 700).toBeCloseTo(0.5, 1);
});

test('only the requested kinds of damage occur', () => {
  const only = { ...options, kinds: ['jpeg', 'blur'] as const };
  const kinds = Array.from({ length: 50 }, (_, sample) =>
    augmentationOf(sample, 2, only).damages.map(({ kind }) => kind),
  ).flat();
  expect(new Set(kinds)).toEqual(new Set(['jpeg', 'blur']));
});

test('a plan shows every face once per epoch, the given share of them damaged', () => {
  const plan = { seed: 3, batchSize: 10, samples: 1004, views: 5, degrade: 0.6 };
  const places = [...plannedBatches(0, plan)].flat();
  expect(new Set(places.map(({ sample }) => sample)).size).toBe(1000);
  expect(places.filter(({ view }) => view >= 2).length / 1000).toBeCloseTo(0.6, 1);
  expect(new Set(places.map(({ view }) => view))).toEqual(new Set([0, 1, 2, 3, 4]));
  expect([...plannedBatches(0, plan)].flat()).toEqual(places);
  expect([...plannedBatches(1, plan)].flat()).not.toEqual(places);
  expect(new Set([...plannedBatches(0, { ...plan, views: 1 })].flat().map(({ view }) => view))).toEqual(new Set([0]));
});
