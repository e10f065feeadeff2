/** Rows by the hundred thousand, as a whole data set has them. */
import { expect, test } from 'vitest';
import { createRows, printRecord } from '../../src/cli/output.ts';
import { textSink } from './run-cli.ts';

test('prints a table of 150,000 rows', async () => {
  const sink = textSink();
  const table = [{ title: 'n', value: (n: number) => n, layout: 'right' }] as const;
  const rows = createRows<number>(sink.stream, { format: 'table', table });
  for (let n = 0; n < 150_000; n++) await rows.write(n);
  await rows.close();
  const lines = sink.text().split('\n');
  expect(lines).toHaveLength(150_002);
  expect([lines[0], lines[1], lines[150_000]]).toEqual(['     n', '     0', '149999']);
});

test('gives nested values their own columns in CSV, never JSON in a cell', async () => {
  const sink = textSink();
  const record = { similarity: 0.5, quality: [61, 7], box: { x: 1, at: { y: null } }, none: [] };
  await printRecord(sink.stream, record, { format: 'csv', lines: [] });
  expect(sink.text()).toBe('similarity,quality.0,quality.1,box.x,box.at.y\n0.5,61,7,1,\n');
});
