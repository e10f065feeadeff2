/**
 * Feature files, streamed in blocks of rows so that five gigabytes of text need no more memory than one block:
 *
 *     .npy           (N, D) float32 or float64, C order; names in NAME.names.txt beside it, one a line, where it exists
 *     anything else  the official text: `name v1 v2 … vD`, one image a line
 */
import { createReadStream } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { FormatError, ShapeError } from '../errors.ts';
import type { FeatureSet } from './feature-set.ts';
import type { FeatureBlock } from './templates.ts';

/** An opened feature file. */
export interface FeatureFile {
  /** D, the length of one feature. */
  readonly dimension: number;
  /** The rows in order; can be read once. */
  readonly blocks: AsyncIterable<FeatureBlock>;
}

/** Bytes read at once. */
const chunkBytes = 1 << 22;

/**
 * Opens a feature file and learns the length of its features.
 *
 * @throws {FormatError} when the file is neither text nor .npy of the kind above; rows of another length throw as they come
 */
export async function openFeatureFile(file: string): Promise<FeatureFile> {
  const size = await stat(file).catch((cause: unknown) => {
    throw new FormatError(file, 'Expected a file of features but it cannot be read: check the path.', { cause });
  });
  if (size.size === 0) throw new FormatError(file, 'Expected features, one image a line, but the file is empty.');
  if (file.endsWith('.npy')) return openNpy(file, size.size);
  const dimension = await firstLineLength(file);
  return { dimension, blocks: textBlocks(file, dimension) };
}

/** Reads a whole feature file, for protocols that need all rows at once. */
export async function readFeatureFile(file: string): Promise<FeatureSet> {
  const { dimension, blocks } = await openFeatureFile(file);
  const parts: FeatureBlock[] = [];
  for await (const block of blocks) parts.push(block);
  const values = new Float32Array(parts.reduce((sum, part) => sum + part.values.length, 0));
  let at = 0;
  for (const part of parts) {
    values.set(part.values, at);
    at += part.values.length;
  }
  const names = parts.flatMap((part) => part.names ?? []);
  return names.length > 0 ? { values, dimension, names } : { values, dimension };
}

async function openNpy(file: string, size: number): Promise<FeatureFile> {
  const { descr, rows, dimension, start } = await npyHeader(file);
  const bytes = descr === '<f8' ? 8 : 4;
  if (size - start !== rows * dimension * bytes) {
    const message = `Expected ${rows} x ${dimension} values of ${bytes} bytes but found ${size - start} bytes of data: the file was cut or grew`;
    throw new FormatError(file, message, { offset: start });
  }
  const namesFile = file.replace(/\.npy$/, '.names.txt');
  const names = await readFile(namesFile, 'utf8').then(
    (text) => text.replace(/\r?\n$/, '').split(/\r?\n/),
    () => undefined,
  );
  if (names !== undefined && names.length !== rows)
    throw new ShapeError(`Expected one name a row but ${namesFile} has ${names.length} for ${rows} rows of ${file}.`);
  return { dimension, blocks: npyBlocks(file, { descr, dimension, start, rows, names }) };
}

interface NpyLayout {
  readonly descr: string;
  readonly rows: number;
  readonly dimension: number;
  /** Byte where the data begin. */
  readonly start: number;
  readonly names?: readonly string[] | undefined;
}

/** @see NEP 1, "A Simple File Format for NumPy Arrays" */
async function npyHeader(file: string): Promise<NpyLayout> {
  const handle = await open(file);
  const head = Buffer.alloc(4096);
  const { bytesRead } = await handle.read(head, 0, head.length, 0).finally(() => handle.close());
  if (bytesRead < 12 || head.toString('latin1', 0, 6) !== '\x93NUMPY')
    throw new FormatError(file, 'Expected a .npy file but it does not begin like one', { offset: 0 });
  const [lengthBytes, length] = head[6] === 1 ? [2, head.readUInt16LE(8)] : [4, head.readUInt32LE(8)];
  const text = head.toString('latin1', 8 + lengthBytes, 8 + lengthBytes + length);
  const descr = /'descr':\s*'(<f[48])'/.exec(text)?.[1];
  const shape = /'shape':\s*\((\d+),\s*(\d+)\)/.exec(text);
  const [rows, dimension] = [Number(shape?.[1]), Number(shape?.[2])];
  if (descr === undefined || !/'fortran_order':\s*False/.test(text) || !(rows > 0 && dimension > 0)) {
    throw new FormatError(
      file,
      `Expected an array (N, D) of little-endian float32 or float64 in C order but its header is ${text.trim().slice(0, 120)}`,
    );
  }
  return { descr, rows, dimension, start: 8 + lengthBytes + length };
}

async function* npyBlocks(
  file: string,
  { descr, rows, dimension, start, names }: NpyLayout,
): AsyncGenerator<FeatureBlock> {
  const Values = descr === '<f8' ? Float64Array : Float32Array;
  const rowBytes = dimension * Values.BYTES_PER_ELEMENT;
  const rowsAtOnce = Math.max(1, Math.floor(chunkBytes / rowBytes));
  const buffer = Buffer.from(new ArrayBuffer(rowsAtOnce * rowBytes));
  const handle = await open(file);
  try {
    for (let row = 0; row < rows; row += rowsAtOnce) {
      const wanted = Math.min(rowsAtOnce, rows - row);
      for (let filled = 0; filled < wanted * rowBytes; ) {
        const { bytesRead } = await handle.read(
          buffer,
          filled,
          wanted * rowBytes - filled,
          start + row * rowBytes + filled,
        );
        if (bytesRead === 0)
          throw new FormatError(file, 'Expected more rows but the file ends', {
            offset: start + row * rowBytes + filled,
          });
        filled += bytesRead;
      }
      yield {
        values: Float32Array.from(new Values(buffer.buffer, 0, wanted * dimension)),
        names: names?.slice(row, row + wanted),
      };
    }
  } finally {
    await handle.close();
  }
}

async function firstLineLength(file: string): Promise<number> {
  let text = '';
  for await (const chunk of createReadStream(file, { encoding: 'latin1' }) as AsyncIterable<string>) {
    text += chunk;
    if (text.includes('\n') || text.length > chunkBytes) break;
  }
  const tokens = text
    .split('\n', 1)[0]!
    .trim()
    .split(/[ \t]+/);
  if (tokens.length < 2) {
    const message = 'Expected the official text, a name and its values on each line, but the first line is no such';
    throw new FormatError(file, message, { offset: 0 });
  }
  return tokens.length - 1;
}

/** Whole lines of a chunk are parsed in place; the rest waits for the next chunk. */
async function* textBlocks(file: string, dimension: number): AsyncGenerator<FeatureBlock> {
  let rest: Buffer = Buffer.alloc(0);
  let [line, offset] = [1, 0];
  const where = (message: string, at: number): never => {
    throw new FormatError(file, message, { offset: offset + at });
  };
  for await (const chunk of createReadStream(file, { highWaterMark: chunkBytes }) as AsyncIterable<Buffer>) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const end = bytes.lastIndexOf(10) + 1;
    if (end > 0) {
      const block = parseLines(bytes.subarray(0, end), { dimension, line, where });
      line += block.names.length;
      yield block;
    }
    offset += end;
    rest = Buffer.from(bytes.subarray(end));
  }
  if (rest.length > 0) yield parseLines(Buffer.concat([rest, Buffer.from('\n')]), { dimension, line, where });
}

interface ParseContext {
  readonly dimension: number;
  /** Number of the first line. */
  readonly line: number;
  readonly where: (message: string, at: number) => never;
}

/** Lines `name v1 … vD`, each ended by a line feed; empty lines at the end are no images. */
function parseLines(
  bytes: Buffer,
  { dimension, line, where }: ParseContext,
): { values: Float32Array; names: string[] } {
  const names: string[] = [];
  let values = new Float32Array(dimension * Math.ceil(bytes.length / (2 * dimension))); // a value has a digit and a space
  for (let at = 0; at < bytes.length; at++) {
    const [lineStart, row] = [at, names.length * dimension];
    while (!isSpace(bytes[at]!)) at++;
    const name = bytes.toString('utf8', lineStart, at);
    let count = 0;
    for (;;) {
      while (bytes[at] !== 10 && isSpace(bytes[at]!)) at++;
      if (bytes[at] === 10) break;
      const start = at;
      while (!isSpace(bytes[at]!)) at++;
      if (count < dimension) values[row + count] = decimal(bytes, start, at);
      if (Number.isNaN(values[row + count]) && count < dimension)
        where(
          `Expected a number on line ${line + names.length} but found "${bytes.toString('latin1', start, Math.min(at, start + 20))}"`,
          start,
        );
      count++;
    }
    if (count !== dimension && (name !== '' || count > 0))
      where(
        `Expected ${dimension} values as on the first line but line ${line + names.length} has ${count}`,
        lineStart,
      );
    if (count === dimension) names.push(name);
  }
  values = values.slice(0, names.length * dimension);
  return { values, names };
}

const isSpace = (byte: number): boolean => byte === 32 || byte === 10 || byte === 9 || byte === 13;

const powersOfTen: Float64Array = Float64Array.from({ length: 23 }, (_, k) => 10 ** k);

/**
 * The decimal number in these bytes, NaN when it is none. Digits and one point are read by hand, five times as fast as
 * by Number(); with 17 digits the result may be one unit of float64 off, which float32 does not show.
 */
function decimal(bytes: Buffer, start: number, end: number): number {
  const negative = bytes[start] === 45;
  let [mantissa, point] = [0, -1];
  for (let i = negative ? start + 1 : start; i < end; i++) {
    const digit = bytes[i]! - 48;
    if (digit >= 0 && digit <= 9) mantissa = mantissa * 10 + digit;
    else if (bytes[i] === 46 && point < 0) point = i;
    else return slowDecimal(bytes, start, end);
  }
  const decimals = point < 0 ? 0 : end - 1 - point;
  if (
    decimals > 22 ||
    end - start > 24 ||
    end - start < 1 ||
    (negative && end - start === 1) ||
    (point >= 0 && end - start === 1)
  )
    return slowDecimal(bytes, start, end);
  const value = mantissa / powersOfTen[decimals]!;
  return negative ? -value : value;
}

/** Exponents and all that is rare; text that is no number gives NaN. */
const slowDecimal = (bytes: Buffer, start: number, end: number): number => Number(bytes.toString('latin1', start, end));
