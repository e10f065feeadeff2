/**
 * Reads the official feature text, `name v1 … vD` per line, from its bytes. It makes strings only for names, because
 * IJB-C's features are 5 GB of text.
 */
import type { ByteSource } from './byte-source.ts';
import type { FeatureBlock } from './feature-block.ts';

const chunkBytes = 1 << 22;
const [lineFeed, space, minus, point] = [10, 32, 45, 46];

/** @returns D, from the first line; @throws {FormatError} if it is not such a line */
export async function textDimension(source: ByteSource): Promise<number> {
  const head = await source.read(0, Math.min(source.size, chunkBytes));
  const [line = ''] = head.toString('latin1').split('\n', 1);
  const dimension = line.trim().split(/[ \t]+/).length - 1;
  if (dimension > 0) return dimension;
  throw source.error(
    {
      expected: 'a name and its values on each line',
      problem: 'the first line has another form',
      remedy: 'pass a file of features',
    },
    0,
  );
}

/** Whole lines of a chunk are parsed in place; the rest waits for the next chunk. */
export async function* textBlocks(source: ByteSource, dimension: number): AsyncGenerator<FeatureBlock> {
  const lines = { source, dimension, done: 0 };
  let next = chunkAt(source, 0);
  for (let at = 0; at < source.size; ) {
    const chunk = await next;
    const last = at + chunk.length === source.size;
    const end = last ? chunk.length : chunk.lastIndexOf(lineFeed) + 1;
    if (end === 0)
      throw source.error(
        {
          expected: `lines of at most ${chunkBytes} bytes`,
          problem: 'this one is longer',
          remedy: 'pass a file of features',
        },
        at,
      );
    next = chunkAt(source, at + end); // read ahead while parsing
    next.catch(() => undefined);
    const whole = last ? Buffer.concat([chunk, Buffer.from('\n')]) : chunk.subarray(0, end);
    const block = parseLines(whole, at, lines);
    if (block.names.length > 0) yield block;
    lines.done += block.names.length;
    at += end;
  }
}

const chunkAt = (source: ByteSource, offset: number): Promise<Buffer> =>
  source.read(offset, Math.min(chunkBytes, source.size - offset));

interface Lines {
  readonly source: ByteSource;
  readonly dimension: number;
  /** Lines before this block. */
  readonly done: number;
}

/** @param bytes - ends with a line feed, which is the sentinel of every loop below */
function parseLines(
  bytes: Uint8Array,
  offset: number,
  { source, dimension, done }: Lines,
): FeatureBlock & { names: string[] } {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const names: string[] = [];
  const values = new Float32Array(dimension * Math.ceil(bytes.length / (2 * dimension))); // a digit and a space each
  const cursor = { at: 0 };
  for (let filled = 0; cursor.at < bytes.length; cursor.at++) {
    const start = cursor.at;
    while (bytes[cursor.at]! > space) cursor.at++;
    const name = text.toString('utf8', start, cursor.at);
    const count = parseRow(bytes, cursor, values.subarray(filled, filled + dimension));
    if (count === 0 && name === '') continue; // an empty line
    const line = `line ${done + names.length + 1}`;
    if (count < 0) {
      const found = text.toString('latin1', cursor.at, Math.min(cursor.at + 20, bytes.indexOf(lineFeed, cursor.at)));
      throw source.error(
        {
          expected: `a number on ${line}`,
          received: JSON.stringify(found),
          remedy: 'correct or remove the line',
        },
        offset + cursor.at,
      );
    }
    if (count !== dimension) {
      throw source.error(
        {
          expected: `${dimension} values (like the first line)`,
          problem: `${line} has ${count}`,
          remedy: 'correct or remove the line',
        },
        offset + start,
      );
    }
    names.push(name);
    filled += dimension;
  }
  return { names, values: values.slice(0, names.length * dimension) };
}

const powersOfTen: Float64Array = Float64Array.from({ length: 23 }, (_, power) => 10 ** power);

/**
 * Parses numbers up to the line feed, and leaves the cursor there.
 *
 * Plain decimals are read by hand: up to 9 digits in an int32, the next 9 in another, the rest dropped, then one division.
 * The result may be off by some units in the last place of float64, which float32 does not show. All else is rare and
 * goes through Number.
 *
 * @returns the count; -1 if the cursor is at something that is not a number
 */
function parseRow(bytes: Uint8Array, cursor: { at: number }, row: Float32Array): number {
  let [at, count] = [cursor.at, 0];
  for (; ; count++) {
    while (bytes[at]! <= space && bytes[at] !== lineFeed) at++;
    if (bytes[at] === lineFeed) break;
    const start = at;
    const negative = bytes[at] === minus;
    if (negative) at++;
    let [high, low, digits, lowDigits, pointAt] = [0, 0, 0, 0, -1];
    for (; ; at++) {
      const digit = bytes[at]! - 48;
      if (digit >= 0 && digit <= 9) {
        digits++;
        if (digits <= 9) high = (high * 10 + digit) | 0;
        else if (digits <= 18) {
          low = (low * 10 + digit) | 0;
          lowDigits++;
        }
      } else if (digit === point - 48 && pointAt < 0) pointAt = digits;
      else break;
    }
    const kept = high > 0 || digits <= 18; // else all that was kept are leading zeros
    const decimals = (pointAt < 0 ? digits : pointAt) - Math.min(digits, 18); // negative: places behind the point
    let value: number | undefined;
    if (digits > 0 && kept && decimals <= 0 && decimals >= -22 && bytes[at]! <= space) {
      value = (high * powersOfTen[lowDigits]! + low) / powersOfTen[-decimals]!;
      if (negative) value = -value;
    } else {
      while (bytes[at]! > space) at++;
      value = rareNumber(Buffer.from(bytes.buffer, bytes.byteOffset + start, at - start).toString('latin1'));
      if (value === undefined) {
        cursor.at = start;
        return -1;
      }
    }
    if (count < row.length) row[count] = value;
  }
  cursor.at = at;
  return count;
}

/** Exponents, infinities and long integers. @returns undefined if it is not a number */
function rareNumber(text: string): number | undefined {
  const value = /^[+-]?inf(inity)?$/i.test(text) ? Number(`${text[0] === '-' ? '-' : ''}Infinity`) : Number(text);
  return Number.isNaN(value) && !/^[+-]?nan$/i.test(text) ? undefined : value;
}
