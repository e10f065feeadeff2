import { expect, test } from 'vitest';
import { magnitudesOf } from '../../src/eval/feature-set.ts';
import type { LoadedPairs } from '../../src/eval/load-pairs.ts';
import { measureModel } from '../../src/eval/measure-model.ts';
import { pairQuality } from '../../src/eval/reject.ts';
import { cosineSimilarities } from '../../src/eval/verification.ts';
import { randomStream } from '../../src/random.ts';
import { standings, standingsLatex, standingsMarkdown } from '../../src/report/standings.ts';

/** 400 pairs; every second is genuine, and its right feature lies near its left. */
function madeUp(seed: number): LoadedPairs {
  const random = randomStream(seed);
  const values = Float32Array.from({ length: 800 * 4 }, () => random() - 0.5);
  const same = Uint8Array.from({ length: 400 }, (_, pair) => pair % 2);
  same.forEach((label, pair) => {
    for (let d = 8 * pair; d < 8 * pair + 4; d++) values[d + 4]! += 0.9 * label * values[d]!;
  });
  const features = { values, dimension: 4, names: Array.from({ length: 800 }, (_, row) => `${row}.jpg`) };
  const left = Uint32Array.from(same, (_, k) => 2 * k);
  const rows = { left, right: left.map((row) => row + 1), same };
  const qualities = magnitudesOf(features);
  return {
    features,
    rows,
    similarities: cosineSimilarities(features, rows),
    same,
    qualities,
    quality: pairQuality(qualities, rows),
    columns: {},
  };
}

test('a measure that one set lacks has no mean and comes last, however much it attains', () => {
  const [one, two] = [madeUp(1), madeUp(2)];
  const sets = [
    {
      name: 'one',
      reports: [measureModel(one, 'm', { measures: { noise: madeUp(7).quality, sharpness: one.quality } }).report],
    },
    { name: 'two', reports: [measureModel(two, 'm', { measures: { noise: madeUp(8).quality } }).report] },
  ];
  const table = standings(sets);
  expect(table.columns.map(({ set, model }) => [set, model])).toEqual([
    ['one', 'm'],
    ['two', 'm'],
  ]);
  const last = table.rows.at(-1)!;
  expect([last.name, last.mean, last.cells[1]]).toEqual(['sharpness', null, null]);
  expect(last.cells[0]).toBe(table.columns[0]!.best);
  const [first, second] = table.rows;
  expect(first!.mean).toBeCloseTo((first!.cells[0]! + first!.cells[1]!) / 2, 12);
  expect(first!.mean).toBeGreaterThan(second!.mean!);

  expect(standingsMarkdown(table).split('\n').at(-1)).toBe(`| sharpness | – | ${last.cells[0]!.toFixed(3)} | – |`);
  expect(standingsLatex(table)).toContain('\\begin{tabular}{lrrr}');
});
