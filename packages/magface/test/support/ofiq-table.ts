import { fixtureText } from './fixtures.ts';

/** @returns a column of the table that OFIQ 1.1 publishes for its 28 test images, which are not at hand: native values, and scores */
export function ofiqColumn(title: string): number[] {
  const [header, ...rows] = fixtureText('ofiq_expected_results.csv')
    .trim()
    .split('\n')
    .map((line) => line.split(';'));
  return rows.map((row) => Number(row[header!.indexOf(title)]));
}
