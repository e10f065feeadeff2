/** Reads lines and their byte offsets, from a file by ranges or from a text in memory. */

import { FormatError } from '../errors.ts';
import type { Fault } from '../fault.ts';
import type { ByteSource } from './byte-source.ts';

const chunkBytes = 1 << 20;
/** Limit on a line: no format here comes near, and other files may have no lines. */
const mostLineBytes = 1 << 26;

/** @throws {FormatError} if a line exceeds 64 MiB, so the file is not text */
export async function* readLines(source: ByteSource): AsyncGenerator<{ text: string; offset: number }> {
  let rest: Buffer = Buffer.alloc(0);
  let offset = 0;
  for (let at = 0; at < source.size; at += chunkBytes) {
    const chunk = await source.read(at, Math.min(chunkBytes, source.size - at));
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      yield { text: bytes.toString('utf8', start, end), offset };
      offset += end + 1 - start;
      start = end + 1;
    }
    rest = bytes.subarray(start);
    if (rest.length > mostLineBytes)
      throw source.error(
        { expected: 'lines of text', problem: 'this one is too long', remedy: 'check that this is a text file' },
        offset,
      );
  }
  if (rest.length > 0) yield { text: rest.toString('utf8'), offset };
}

/** A line of a text in memory. */
export interface TextLine {
  /** Trimmed. */
  readonly text: string;
  /** From 1. */
  readonly number: number;
  /** Byte offset in UTF-8. */
  readonly offset: number;
}

/** @returns the lines that are not blank */
export function textLines(text: string): TextLine[] {
  let offset = 0;
  return text.split('\n').flatMap((line, i) => {
    const begin = offset;
    offset += Buffer.byteLength(line) + 1;
    const trimmed = line.trim();
    return trimmed === '' ? [] : [{ text: trimmed, number: i + 1, offset: begin }];
  });
}

/** @returns the error for a line, or for the whole text without one */
export const lineError = (file: string, fault: Fault, line?: { readonly offset: number }): FormatError =>
  new FormatError(file, fault, { offset: line?.offset ?? 0 });
