/** Features as JSON, one object per line: `{"image": "a.jpg", "embedding": [..]}`; other keys are ignored. */
import type { ByteSource } from './byte-source.ts';
import type { FeatureBlock } from './feature-block.ts';
import { readLines } from './text-lines.ts';

const rowsAtOnce = 1024;

interface Row {
  readonly name: string;
  readonly embedding: readonly number[];
}

/** @returns D, from the first line */
export async function jsonDimension(source: ByteSource): Promise<number> {
  for await (const row of jsonRows(source)) return row.embedding.length;
  throw source.error(
    { expected: 'one object per line', problem: 'the file has none', remedy: 'pass a file written by `magface embed`' },
    0,
  );
}

export async function* jsonBlocks(source: ByteSource, dimension: number): AsyncGenerator<FeatureBlock> {
  let rows: Row[] = [];
  for await (const row of jsonRows(source, dimension)) {
    rows.push(row);
    if (rows.length < rowsAtOnce) continue;
    yield blockOf(rows, dimension);
    rows = [];
  }
  if (rows.length > 0) yield blockOf(rows, dimension);
}

function blockOf(rows: readonly Row[], dimension: number): FeatureBlock {
  const values = new Float32Array(rows.length * dimension);
  for (const [row, { embedding }] of rows.entries()) values.set(embedding, row * dimension);
  return { values, names: rows.map(({ name }) => name) };
}

async function* jsonRows(source: ByteSource, dimension?: number): AsyncGenerator<Row> {
  for await (const { text, offset } of readLines(source)) {
    if (text.trim() !== '') yield parseRow(source, text, { offset, dimension });
  }
}

function parseRow(
  source: ByteSource,
  text: string,
  { offset, dimension }: { offset: number; dimension: number | undefined },
): Row {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw source.error(
      { expected: 'a JSON object', problem: 'this line has none', remedy: 'correct or remove the line' },
      offset,
      cause,
    );
  }
  const { image, embedding } = (value ?? {}) as { image?: unknown; embedding?: unknown };
  const numbers = Array.isArray(embedding) && embedding.length > 0 && embedding.every((one) => typeof one === 'number');
  if (typeof image !== 'string' || !numbers) {
    throw source.error(
      {
        expected: '{"image": name, "embedding": [numbers]}',
        problem: 'this line has another object',
        remedy: 'correct or remove it',
      },
      offset,
    );
  }
  if (dimension === undefined || embedding.length === dimension) return { name: image, embedding };
  throw source.error(
    {
      expected: `${dimension} values (like the first line)`,
      problem: `this one has ${embedding.length}`,
      remedy: 'correct or remove the line',
    },
    offset,
  );
}
