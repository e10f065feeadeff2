import { expect, test } from 'vitest';
import type { LoadedPairs } from '../../src/eval/load-pairs.ts';
import { measureModel } from '../../src/eval/measure-model.ts';
import { standings, standingsLatex, standingsMarkdown } from '../../src/report/standings.ts';
import { madeUpPairs } from '../support/made-up-pairs.ts';

/** With errors enough to rank measures by. */
const madeUp = (seed: number): LoadedPairs => madeUpPairs(seed, { likeness: 0.9 });

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
