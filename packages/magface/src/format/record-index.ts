/** `.idx`: `key<TAB>byte` per line, kept in three flat arrays, since MS1MV2 has 5.9 million. */
import type { ByteSource } from './byte-source.ts';
import { recordEnd } from './record-io.ts';

/** Where each record lies. */
export interface RecordIndex {
  /** In file order. */
  readonly keys: Float64Array;
  /** @returns undefined for a key that the file lacks */
  find(key: number): { readonly begin: number; readonly end: number } | undefined;
}

/** @throws {FormatError} if a line is not such a pair, a key is duplicate or an offset is outside the `.rec` */
export function readRecordIndex(index: ByteSource, records: ByteSource): RecordIndex {
  const text = index.readSync(0, index.size);
  const [keys, begins]: [number[], number[]] = [[], []];
  for (let at = 0; at < text.length; at++) {
    const lineAt = at;
    const number = (): number => {
      let value = -1;
      for (let digit = (text[at] ?? 0) - 48; digit >= 0 && digit <= 9; digit = (text[++at] ?? 0) - 48) {
        value = Math.max(value, 0) * 10 + digit;
      }
      return value;
    };
    const key = number();
    if (text[at] === 9 || text[at] === 32) at++;
    const begin = number();
    if (text[at] === 13) at++;
    const isEnd = at >= text.length || text[at] === 10;
    if (lineAt === at && isEnd) continue; // an empty line
    if (key < 0 || begin < 0 || !isEnd)
      throw index.error(
        {
          expected: 'a key, a tab and a byte offset on each line',
          problem: 'found another form',
          remedy: 'write the index again',
        },
        lineAt,
      );
    if (begin >= records.size)
      throw index.error(
        {
          expected: `a byte offset below ${records.size}`,
          received: begin,
          remedy: 'use the index of this file',
        },
        lineAt,
      );
    keys.push(key);
    begins.push(begin);
  }
  return indexOf(records, keys, begins);
}

/** Reads every record's length, for files without an index; keys are counted from 0. */
export function scanRecords(records: ByteSource): RecordIndex {
  const begins: number[] = [];
  for (let at = 0; at < records.size; ) {
    begins.push(at);
    at = recordEnd(records, at);
  }
  return indexOf(
    records,
    begins.map((_, key) => key),
    begins,
  );
}

function indexOf(records: ByteSource, keys: readonly number[], begins: readonly number[]): RecordIndex {
  const order = Uint32Array.from(begins, (_, i) => i).sort((a, b) => begins[a]! - begins[b]!);
  const sortedKeys = Float64Array.from(order, (i) => keys[i]!);
  const sortedBegins = Float64Array.from(order, (i) => begins[i]!);
  const byKey = Uint32Array.from(sortedKeys, (_, i) => i).sort((a, b) => sortedKeys[a]! - sortedKeys[b]!);
  const twice = byKey.findIndex((i, at) => at > 0 && sortedKeys[i] === sortedKeys[byKey[at - 1]!]);
  if (twice > 0)
    throw records.error(
      {
        expected: 'each key once in the index',
        problem: `${sortedKeys[byKey[twice]!]} occurs twice`,
        remedy: 'write the index again',
      },
      0,
    );
  return {
    keys: sortedKeys,
    find(key) {
      let [low, high] = [0, byKey.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (sortedKeys[byKey[middle]!]! < key) low = middle + 1;
        else high = middle;
      }
      const found = byKey[low];
      if (found === undefined || sortedKeys[found] !== key) return undefined;
      return { begin: sortedBegins[found]!, end: sortedBegins[found + 1] ?? records.size };
    },
  };
}
