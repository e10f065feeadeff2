/** Results on stdout: a table for users; JSON, JSON lines or CSV for programs. */
import { createRequire } from 'node:module';
import type CliTable from 'cli-table3';
import { send, type TextStream } from './context.ts';

export type OutputFormat = 'table' | 'json' | 'jsonl' | 'csv';

/** A cell of a record. */
export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string | number | boolean | undefined;
  /** In tables: `middle` cuts long text in its middle, `wrap` breaks it into lines, `right` aligns it. @default left */
  readonly layout?: 'middle' | 'wrap' | 'right';
}

/** Writes records one by one; output is complete after `close`, even if a run is interrupted. */
export interface RowWriter<Row> {
  write(row: Row): Promise<void>;
  close(): Promise<void>;
}

export interface RowOptions<Row> {
  readonly format: OutputFormat;
  readonly table: readonly Column<Row>[];
  /** @default the table's */
  readonly csv?: readonly Column<Row>[];
  /** The record as JSON has it. @default the row itself */
  readonly json?: (row: Row) => unknown;
  /** Whether earlier rows precede these, so that CSV needs no head. @default false */
  readonly begun?: boolean;
}

export function createRows<Row>(stream: TextStream, options: RowOptions<Row>): RowWriter<Row> {
  const { format, table, csv = table, json = (row) => row, begun = false } = options;
  if (format === 'table') return tableRows(stream, table);
  let rows = 0;
  const line = (row: Row): string => {
    if (format === 'jsonl') return `${JSON.stringify(json(row))}\n`;
    if (format === 'json') return `${rows === 0 ? '[\n' : ',\n'}  ${JSON.stringify(json(row))}`;
    const head = rows === 0 && !begun ? csvLine(csv.map(({ title }) => title)) : '';
    return head + csvLine(csv.map(({ value }) => value(row)));
  };
  return {
    write: async (row) => {
      const text = line(row);
      rows++;
      await send(stream, text);
    },
    close: async () => {
      if (format === 'json') await send(stream, rows === 0 ? '[]\n' : '\n]\n');
    },
  };
}

/** `f.npy` to `f.part.npy`, for the results of an interrupted run: readers still recognise the format. */
export const partName = (output: string): string => output.replace(/(?=\.\w+$)/, '.part');

/** `1,200 images`, `1 image` */
export const counted = (n: number, what: string): string => `${n.toLocaleString('en')} ${what}${n === 1 ? '' : 's'}`;

/** How one record is printed. */
export interface RecordOptions<Row> {
  readonly format: OutputFormat;
  /** Text for users. */
  readonly lines: readonly string[];
  /** The record as a table of plain cells. @default one row, a column per value */
  readonly csv?: { readonly rows: readonly Row[]; readonly columns: readonly Column<Row>[] };
}

/** Prints one record. In CSV each cell is one plain value and each column has one unit. */
export async function printRecord<Row>(
  stream: TextStream,
  record: Readonly<Record<string, unknown>>,
  { format, lines, csv }: RecordOptions<Row>,
): Promise<void> {
  if (format === 'csv' && csv !== undefined) {
    const rows = createRows(stream, { format, table: csv.columns });
    for (const row of csv.rows) await rows.write(row);
    return rows.close();
  }
  const texts: Record<OutputFormat, () => string> = {
    table: () => lines.map((line) => `${line}\n`).join(''),
    json: () => `${JSON.stringify(record, null, 2)}\n`,
    jsonl: () => `${JSON.stringify(record)}\n`,
    csv: () => {
      const cells = plainCells(record);
      return csvLine(cells.map(([key]) => key)) + csvLine(cells.map(([, value]) => value));
    },
  };
  await send(stream, texts[format]());
}

/** Flattens nested values into columns: `{ box: { x: 1 }, at: [5, 6] }` has `box.x`, `at.0` and `at.1`. */
function plainCells(record: object, path = ''): [key: string, cell: string][] {
  return Object.entries(record).flatMap(([key, value]): [string, string][] =>
    typeof value === 'object' && value !== null
      ? plainCells(value, `${path}${key}.`)
      : [[path + key, String(value ?? '')]],
  );
}

/** RFC 4180, with plain line ends. */
function csvLine(cells: readonly (string | number | boolean | undefined)[]): string {
  const quoted = cells.map((cell) => {
    const text = String(cell ?? '');
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${quoted.join(',')}\n`;
}

/** Rows are kept until the end, since a column is as wide as its widest cell. */
function tableRows<Row>(stream: TextStream, columns: readonly Column<Row>[]): RowWriter<Row> {
  const rows: string[][] = [];
  return {
    write: async (row) => {
      rows.push(columns.map(({ value }) => printable(String(value(row) ?? '-'))));
    },
    close: async () => {
      for (const text of drawTable(columns, rows, Math.max(60, stream.columns ?? 80))) await send(stream, text);
    },
  };
}

const gap = 2;

/** Rows drawn at once: cli-table3 passes all its rows to one call. */
const drawnAtOnce = 1000;

function* drawTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly string[][],
  width: number,
): Generator<string, void> {
  // cli-table3 is CommonJS and slow to load: load it only for tables.
  const Table = createRequire(import.meta.url)('cli-table3') as typeof CliTable;
  const widths = columnWidths(columns, rows, width);
  const fit = (row: readonly string[]): string[] =>
    row.map((cell, at) => (columns[at]!.layout === 'middle' ? shortenMiddle(cell, widths[at]!) : cell));
  for (let from = 0; from < rows.length; from += drawnAtOnce) {
    const table = new Table({
      head: from === 0 ? columns.map(({ title }) => title) : [],
      colWidths: widths.map((wide) => wide + gap),
      colAligns: columns.map(({ layout }) => (layout === 'right' ? 'right' : 'left')),
      wordWrap: true,
      chars: noLines,
      style: { head: [], border: [], 'padding-left': 0, 'padding-right': gap, compact: true },
    });
    for (const row of rows.slice(from, from + drawnAtOnce)) table.push(fit(row));
    const lines = table.toString().split('\n');
    yield `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
  }
}

const sides = ['top', 'bottom', 'left', 'right', 'mid'] as const;
const between = [
  'top-mid',
  'top-left',
  'top-right',
  'bottom-mid',
  'bottom-left',
  'bottom-right',
  'left-mid',
  'mid-mid',
  'right-mid',
  'middle',
] as const;
const noLines = Object.fromEntries([...sides, ...between].map((name) => [name, '']));

/** Widest cell of each column; to fit, wrapped columns shrink first, then names. */
function columnWidths<Row>(columns: readonly Column<Row>[], rows: readonly string[][], width: number): number[] {
  const widths = columns.map(({ title }) => title.length);
  for (const row of rows) for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at]!, cell.length);
  const total = (): number => widths.reduce((sum, wide) => sum + wide + gap, -gap + 1);
  for (const [layout, least] of [
    ['wrap', 22],
    ['middle', 12],
    ['wrap', 10],
  ] as const) {
    columns.forEach((column, at) => {
      if (column.layout !== layout) return;
      widths[at] = Math.min(widths[at]!, Math.max(least, widths[at]! - Math.max(0, total() - width)));
    });
  }
  return widths;
}

/** `photos/summer/IMG_2041.jpg` in 16 becomes `photos/…2041.jpg`: the ends distinguish files, the middle rarely. */
export function shortenMiddle(text: string, width: number): string {
  if (text.length <= width) return text;
  const end = Math.ceil((width - 1) * 0.6);
  return `${text.slice(0, width - 1 - end)}…${text.slice(text.length - end)}`;
}

/** Sentences below a table: wrapped to its width, with later lines indented. */
export async function printSentences(stream: TextStream, sentences: readonly string[]): Promise<void> {
  const width = Math.max(60, stream.columns ?? 80);
  for (const sentence of sentences) {
    const lines = [''];
    for (const word of sentence.split(' ')) {
      const line = lines.at(-1)!;
      if (line.trim() !== '' && line.length + 1 + word.length > width) lines.push(`  ${word}`);
      else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
    }
    await send(stream, `${lines.join('\n')}\n`);
  }
}

/** File names may contain terminal control characters; a table replaces them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const printable = (text: string): string => text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '\u{fffd}');
