/**
 * Reads other quality measures, to compare them with magnitude. One line per image:
 *
 *     value                     in the order of the features
 *     name value                by name
 *     name,measure[,measure…]   CSV or TSV with a header line: one or more measures
 */
import { readFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { lineError, type TextLine, textLines } from '../format/text-lines.ts';
import { type FeatureSet, rowsOf } from './feature-set.ts';

/** One measure of N images. */
export interface QualityMeasure {
  readonly name: string;
  /** (N) one value per feature row, higher is better. */
  readonly values: Float64Array;
}

/**
 * Reads other measures of quality from a table or a list, one value for each feature row.
 *
 * @throws {FormatError} if a line has no number, or a feature has no line
 */
export async function readQualities(file: string, features: FeatureSet): Promise<QualityMeasure[]> {
  const rows = textLines(await readFile(file, 'utf8')).map((line) => ({ ...line, cells: cellsOf(line.text) }));
  const header = rows[0]?.cells ?? [];
  const isTable = /[,\t]/.test(rows[0]?.text ?? '') && header.slice(1).every((cell) => Number.isNaN(Number(cell)));
  if (!isTable) return [{ name: basename(file, extname(file)), values: columnOf(rows, -1, { file, features }) }];
  const body = rows.slice(1);
  const short = body.find(({ cells }) => cells.length !== header.length);
  if (short !== undefined) {
    const message = `Expected ${header.length} columns (${header.join(', ')}) but line ${short.number} has ${short.cells.length}: correct the line.`;
    throw lineError(file, message, short);
  }
  return header.slice(1).map((name, i) => ({ name, values: columnOf(body, i + 1, { file, features }) }));
}

interface Row extends TextLine {
  readonly cells: readonly string[];
}

const cellsOf = (text: string): string[] => text.split(/\s*,\s*|\s+/);

/** @param column - from the end when negative */
function columnOf(
  rows: readonly Row[],
  column: number,
  { file, features }: { readonly file: string; readonly features: FeatureSet },
): Float64Array {
  const entries = rows.map((row) => {
    const { cells, number } = row;
    const cell = cells.at(column) ?? '';
    const value = cell === '' ? Number.NaN : Number(cell);
    if (!Number.isNaN(value)) return { name: cells.length > 1 ? cells[0]! : undefined, value };
    throw lineError(
      file,
      `Expected "name value" or "value" lines but line ${number} ends in "${cell}": correct the line.`,
      row,
    );
  });
  if (features.names === undefined || entries.some(({ name }) => name === undefined)) {
    if (entries.length === rowsOf(features)) return Float64Array.from(entries, ({ value }) => value);
    const message = `Expected ${rowsOf(features)} qualities, one per feature line, but received ${entries.length}: use files of the same list.`;
    throw lineError(file, message);
  }
  const byName = new Map(entries.map(({ name, value }) => [name, value]));
  return Float64Array.from(features.names, (name) => {
    const value = byName.get(name);
    if (value !== undefined) return value;
    throw lineError(file, `Expected a quality for every feature but "${name}" has none: add a line for it.`);
  });
}
