/** Rows of `magface quality` as Parquet, by hyparquet-writer: a row group at a time, so that millions of rows take little memory. */
import { open, rename, rm } from 'node:fs/promises';
import { type BasicType, fileWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer';
import { ConfigError } from '../errors.ts';
import type { FinishedShard } from '../runs/shards.ts';
import { csvColumns, type QualityRow } from './face-rows.ts';

/** Rows per row group, as the format's authors advise for a scan by column. */
const groupRows = 50_000;

const types: Readonly<Record<string, BasicType>> = {
  image: 'STRING',
  face: 'INT32',
  reasons: 'STRING',
  error: 'STRING',
};

/**
 * @param shards - of `quality`, as `.jsonl`
 * @returns the number of rows
 */
export async function mergeParquet(shards: readonly FinishedShard[], output: string): Promise<number> {
  const lines = shards.find(({ header }) => header.settings['format'] !== 'jsonl');
  if (lines !== undefined)
    throw new ConfigError('input', {
      expected: '.jsonl files for Parquet',
      received: lines.output,
      remedy: 'keep it as CSV',
    });
  const methods = (shards[0]!.header.settings['methods'] ?? []) as string[];
  const columns = csvColumns(methods);
  const columnData = (rows: readonly QualityRow[]) =>
    columns.map(({ title, value }) => ({
      name: title,
      data: rows.map((row) => value(row) ?? null),
      type: types[title] ?? ('DOUBLE' as const),
      nullable: true,
    }));
  const part = `${output}.part`;
  const writer = new ParquetWriter({
    writer: fileWriter(part),
    schema: schemaFromColumnData({ columnData: columnData([]) }),
    createdBy: 'magface',
  });
  try {
    let total = 0;
    for await (const rows of rowGroups(shards)) {
      await writer.write({ columnData: columnData(rows), rowGroupSize: groupRows });
      total += rows.length;
    }
    writer.finish();
    await rename(part, output);
    return total;
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

async function* rowGroups(shards: readonly FinishedShard[]): AsyncGenerator<QualityRow[]> {
  const rows: QualityRow[] = [];
  for (const { output } of shards) {
    const file = await open(output);
    for await (const line of file.readLines()) {
      rows.push(JSON.parse(line) as QualityRow);
      if (rows.length === groupRows) yield rows.splice(0);
    }
  }
  if (rows.length > 0) yield rows;
}
