/** Rows by the hundred thousand, as a whole data set has them. */
import { expect, test } from 'vitest';
import { createRows } from '../../src/cli/output.ts';
import { textSink } from './run-cli.ts';

test('a table of 150,000 rows', async () => {
  const sink = textSink();
  const table = [{ title: 'n', value: (n: number) => n, layout: 'right' }] as const;
  const rows = createRows<number>(sink.stream, { format: 'table', table });
  for (let n = 0; n < 150_000; n++) await rows.write(n);
  await rows.close();
  const lines = sink.text().split('\n');
  expect(lines).toHaveLength(150_002);
  expect([lines[0], lines[1], lines[150_000]]).toEqual(['     n', '     0', '149999']);
});
