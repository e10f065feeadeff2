import { expect, test } from 'vitest';
import type { DamageSum } from '../../../src/train/finetune/augmentations.ts';
import { asColumns, classSums, normalized, ownCosines } from '../../../src/train/finetune/directions.ts';
import { targetMagnitudes } from '../../../src/train/finetune/target-magnitudes.ts';

const rows = (dimension: number, ...values: number[]) => ({ values: Float32Array.from(values), dimension });
const labels = [0, 0, 1];
const clean = normalized(rows(2, 3, 4, 0, 2, 5, 0));

test('centers are the mean directions of the classes, as columns of length one', () => {
  expect([...clean.values]).toEqual([3 / 5, 4 / 5, 0, 1, 1, 0].map(Math.fround));
  const sums = classSums(clean, labels, 3);
  expect([...sums.values]).toEqual([0.6, 1.8, 1, 0, 0, 0].map((value) => expect.closeTo(value, 6)));
  const columns = asColumns(sums); // (2, 3)
  expect([...columns]).toEqual(
    [0.6 / Math.hypot(0.6, 1.8), 1, 0, 1.8 / Math.hypot(0.6, 1.8), 0, 0].map((value) => expect.closeTo(value, 6)),
  );
});

test('recognisability compares a face with the other faces of its person, not with itself', () => {
  const sums = classSums(clean, labels, 2);
  const shown = normalized(rows(2, 4, 3, 0, 1, 1, 1));
  // Face 0 against face 1, face 1 against face 0; face 2 is alone.
  expect([...ownCosines(shown, clean, { labels, sums })]).toEqual(
    [0.6, 0.8, 0].map((value) => expect.closeTo(value, 6)),
  );
});

test('recognisability minus damage becomes a magnitude, between its lowest and highest 2 %', () => {
  const own = Float32Array.from({ length: 101 }, (_, i) => i / 100);
  const limits = { lowerMagnitude: 1, upperMagnitude: 5 };
  const whole = { all: 0, darkness: 0 };
  const targets = targetMagnitudes(own, Array(101).fill(whole), limits);
  expect(targets[0]).toBeCloseTo(1.6, 5); // 0.15 of the range is for darkness
  expect(targets[100]).toBe(5);
  expect(targets[50]).toBeCloseTo(3.3, 5);
  const damaged = (damage: DamageSum) => targetMagnitudes(own, Array(101).fill(whole).with(50, damage), limits)[50];
  expect(damaged({ all: 0.5, darkness: 0 })).toBeCloseTo(targets[40]!, 5); // 0.2 · 0.5
  expect(damaged({ all: 0.5, darkness: 0.5 })).toBeCloseTo(targets[40]! - 0.3, 5);
  expect(targetMagnitudes(own, Array(101).fill({ all: 1, darkness: 1 }), limits)[0]).toBe(1);
});

test('identical faces have middle targets, those beyond are clamped, and none is NaN', () => {
  const limits = { lowerMagnitude: 1, upperMagnitude: 11 };
  const whole = { all: 0, darkness: 0 };
  const halfway = 1 + 10 * (0.85 / 2 + 0.15);
  for (const target of targetMagnitudes(new Float32Array(4), Array(4).fill(whole), limits)) {
    expect(target).toBeCloseTo(halfway, 5);
  }
  const own = new Float32Array(200).fill(0.5).with(0, 0.1).with(1, 0.9);
  const [worst, best, other] = targetMagnitudes(own, Array(200).fill(whole), limits);
  expect([worst, best, other].map((target) => Number(target!.toFixed(4)))).toEqual([2.5, 11, halfway]);
});
