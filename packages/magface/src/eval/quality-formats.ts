/** The files that quality methods write, each as names with values. */
import { basename, extname } from 'node:path';
import { openBytes } from '../format/byte-source.ts';
import { readPickle } from '../format/pickle.ts';
import { Unpicklable } from '../format/pickle-machine.ts';
import type { PickledBytes, PickleGlobal } from '../format/pickle-values.ts';
import { halfToFloat } from '../format/tensor.ts';
import { lineError, type TextLine, textLines } from '../format/text-lines.ts';

/** One measure as a file has it. */
export interface ScoreColumn {
  readonly name: string;
  readonly entries: readonly {
    /** Absent if the file goes by order. */
    readonly image: string | undefined;
    readonly value: number;
  }[];
}

const stem = (file: string): string => basename(file, extname(file));

/** The end of OFIQ's names of mapped values, 0 to 100, of which higher is better. Its native values may fall with quality. */
const mapped = '.scalar';

/** @param text - lines `value` or `name value`, a table with a header, or OFIQ's CSV with semicolons */
export function parseScores(text: string, file: string): ScoreColumn[] {
  const lines = textLines(text);
  const isOfiq = /^filename;/i.test(lines[0]?.text ?? '');
  const rows = lines.map((line) => ({ ...line, cells: isOfiq ? semicolons(line.text) : words(line.text) }));
  const header = rows[0]?.cells ?? [];
  const isTable =
    isOfiq || (/[,\t]/.test(lines[0]?.text ?? '') && header.slice(1).every((cell) => Number.isNaN(Number(cell))));
  if (!isTable) return [{ name: stem(file), entries: rows.map((row) => entryOf(row, -1, file)) }];
  const body = rows.slice(1);
  const short = body.find(({ cells }) => cells.length !== header.length);
  if (short !== undefined) {
    throw lineError(
      file,
      {
        expected: `${header.length} columns (${header.join(', ')})`,
        problem: `line ${short.number} has ${short.cells.length}`,
        remedy: 'correct the line',
      },
      short,
    );
  }
  const column = (name: string, i: number): ScoreColumn => ({
    name,
    entries: body.map((row) => entryOf(row, i, file)),
  });
  const scored = header.map((name, i) => ({ name, i })).slice(1);
  if (!isOfiq) return scored.map(({ name, i }) => column(name, i));
  return scored
    .filter(({ name }) => name.endsWith(mapped))
    .map(({ name, i }) => column(`${name.slice(0, -mapped.length)} (OFIQ)`, i));
}

interface Row extends TextLine {
  readonly cells: readonly string[];
}

const words = (text: string): string[] => text.split(/\s*,\s*|\s+/);
/** OFIQ ends each line with a semicolon. */
const semicolons = (text: string): string[] =>
  text
    .replace(/;\s*$/, '')
    .split(';')
    .map((cell) => cell.trim());

/** @param column - from the end when negative */
function entryOf(row: Row, column: number, file: string): ScoreColumn['entries'][number] {
  const { cells, number } = row;
  const cell = cells.at(column) ?? '';
  const value = cell === '' ? Number.NaN : Number(cell);
  if (!Number.isNaN(value)) return { image: cells.length > 1 ? cells[0]! : undefined, value };
  throw lineError(
    file,
    {
      expected: '"name value" or "value" lines',
      problem: `line ${number} ends in "${cell}"`,
      remedy: 'correct the line',
    },
    row,
  );
}

/**
 * Images whose names begin with their score, `0.8731_NAME.jpg`, as LightQNet's script writes them.
 *
 * @param names - of a folder's files
 */
export function scoresInNames(names: readonly string[], folder: string): ScoreColumn[] {
  const entries = names.flatMap((name) => {
    const [, value, image] = /^(-?\d+\.\d+)_(.+)$/.exec(name) ?? [];
    return image === undefined ? [] : [{ image, value: Number(value) }];
  });
  return entries.length === 0 ? [] : [{ name: basename(folder), entries }];
}

/**
 * A pickled dict from names to numbers, plain or numpy's, as eDifFIQA's script writes it.
 *
 * @throws {FormatError} if it is something else
 */
export async function readPickledScores(file: string): Promise<ScoreColumn[]> {
  const source = await openBytes(file);
  try {
    const bytesOf = ({ offset, length }: PickledBytes): Buffer => source.readSync(offset, length);
    const { value } = readPickle(source, { globals: numpyScalars(bytesOf) });
    const entries = value instanceof Map ? [...value].map(([image, score]) => ({ image, value: Number(score) })) : [];
    if (
      entries.length > 0 &&
      entries.every(({ image, value: score }) => typeof image === 'string' && Number.isFinite(score))
    )
      return [{ name: stem(file), entries: entries as ScoreColumn['entries'][number][] }];
    throw source.error(
      {
        expected: 'a dict from names to numbers',
        problem: 'the pickle holds something else',
        remedy: 'pickle {name: score}',
      },
      0,
    );
  } finally {
    await source.close();
  }
}

interface NumpyType {
  readonly code: string;
}

/** What numpy's scalars are made of: a type, and its bytes. Big-endian types are refused. */
function numpyScalars(bytesOf: (range: PickledBytes) => Buffer): ReadonlyMap<string, PickleGlobal> {
  const reads: Readonly<Record<string, (bytes: Buffer) => number>> = {
    f4: (bytes) => bytes.readFloatLE(0),
    f8: (bytes) => bytes.readDoubleLE(0),
    f2: (bytes) => halfToFloat(bytes.readUInt16LE(0)),
  };
  const dtype: PickleGlobal = {
    name: 'numpy.dtype',
    call: ([code]): NumpyType => {
      if (typeof code === 'string' && code in reads) return { code };
      throw new Unpicklable('a type of floats for a score of numpy');
    },
    build: (_, state) => {
      if (Array.isArray(state) && state[1] === '>') throw new Unpicklable('little-endian scores of numpy');
    },
  };
  const scalar: PickleGlobal = {
    name: 'numpy.core.multiarray.scalar',
    call: ([type, range]) => {
      const { code = '' } = (type ?? {}) as Partial<NumpyType>;
      const { length } = (range ?? {}) as Partial<PickledBytes>;
      if (length !== Number(code.slice(1))) throw new Unpicklable('as many bytes as the type of a score has');
      return reads[code]!(bytesOf(range as PickledBytes));
    },
  };
  return new Map([
    ['numpy dtype', dtype],
    ['numpy.core.multiarray scalar', scalar],
    ['numpy._core.multiarray scalar', scalar],
  ]);
}
