import { expect, test } from 'vitest';
import { compareModels, type Figure, knownInterval } from '../../src/eval/compare-models.ts';

/** Draws that differ from one value by an even spread. */
const spread = (middle: number, width: number): Float64Array =>
  Float64Array.from({ length: 200 }, (_, i) => middle + width * (i / 199 - 0.5));
const figure = (name: string, value: number | null, draws: Float64Array): Figure => ({ name, value, draws });
const model = (name: string, ...figures: Figure[]) => ({ model: name, figures });

test('finds a leader despite overlapping intervals, because the draws are paired', () => {
  // Each model alone is known to 0.1 only, but the first has 0.01 more in every draw.
  const a = model('a', figure('accuracy', 0.91, spread(0.91, 0.1)));
  const b = model('b', figure('accuracy', 0.9, spread(0.9, 0.1)));
  const [comparison] = compareModels([b, a]);
  expect(comparison).toMatchObject({ figure: 'accuracy', best: 'a', shown: true, others: [{ model: 'b' }] });
  expect(comparison!.others[0]!.difference).toBeCloseTo(0.01, 12);
  expect(comparison!.others[0]!.interval![0]).toBeCloseTo(0.01, 12);
});

test('finds no leader in 88.46 % against 88.36 % if some draws say the opposite', () => {
  const a = model('a', figure('accuracy', 0.8846, spread(0.8846, 0.02)));
  const b = model('b', figure('accuracy', 0.8836, spread(0.8836, 0.02).reverse()));
  expect(compareModels([a, b])[0]).toMatchObject({ best: 'a', shown: false });
});

test('prefers less for errors and areas', () => {
  const a = model('a', figure('eer', 0.02, spread(0.02, 0)));
  const b = model('b', figure('eer', 0.01, spread(0.01, 0)));
  expect(compareModels([a, b])[0]).toMatchObject({
    best: 'b',
    shown: true,
    others: [{ model: 'a', interval: [0.01, 0.01] }],
  });
});

test('requires the best of three to beat both, each with a wider interval than for two', () => {
  const [a, b, c] = [0.93, 0.92, 0.9].map((value, i) =>
    model('abc'[i]!, figure('auc', value, spread(value, i * 0.05))),
  );
  const three = compareModels([a!, b!, c!])[0]!;
  expect(three.shown).toBe(false);
  const width = ([low, high]: readonly [number, number]): number => high - low;
  const two = compareModels([a!, b!])[0]!;
  expect(width(three.others[0]!.interval!)).toBeGreaterThan(width(two.others[0]!.interval!));
});

test('compares nothing for one model, and omits a figure that one model lacks', () => {
  const a = model('a', figure('eer', 0.02, spread(0.02, 0)));
  expect(compareModels([a])).toEqual([]);
  expect(compareModels([a, model('b', figure('eer', null, spread(Number.NaN, 0)))])).toEqual([]);
});

test('requires nineteen of twenty draws for an interval', () => {
  const some = (unknown: number): Float64Array =>
    Float64Array.from({ length: 100 }, (_, i) => (i < unknown ? Number.NaN : i));
  expect(knownInterval(some(6))).toBeNull();
  expect(knownInterval(some(5))).toEqual([7, 97]);
});
