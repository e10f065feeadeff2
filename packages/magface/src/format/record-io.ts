/**
 * MXNet's RecordIO: records of `magic, cflag and length, data`, padded to four bytes. Data that hold the magic at a
 * multiple of four are split there into parts (cflag 1 first, 2 middle, 3 last), the magic between them left out.
 *
 * @see https://mxnet.apache.org/versions/1.9.1/api/architecture/note_data_loading
 */
import type { ByteSource } from './byte-source.ts';

export const recordMagic = 0xced7230a;
const magicBytes: Buffer = Buffer.from([0x0a, 0x23, 0xd7, 0xce]);
const mostPartBytes: number = 2 ** 29 - 1;

/** Data of one record, and the byte after it. */
export interface RawRecord {
  readonly data: Buffer;
  readonly end: number;
}

/**
 * The record at a byte.
 *
 * @param bytes - of the file, from the record on; it may go on beyond
 * @param at - byte of the file that `bytes` begin at, for messages
 * @throws {FormatError} when no record begins here, or its parts are out of order
 */
export function parseRecord(source: ByteSource, bytes: Buffer, at: number): RawRecord {
  const parts: Buffer[] = [];
  for (let from = 0; ; ) {
    const { flag, length } = partHeader(source, bytes.subarray(from, from + 8), at + from);
    const isFirst = parts.length === 0;
    if (isFirst ? flag > 1 : flag < 2)
      throw source.error(
        { expected: "the record's next part", problem: `found part ${flag}`, remedy: 'copy the file again' },
        at + from,
      );
    const end = from + 8 + length;
    if (end > bytes.length)
      throw source.error(
        { expected: `${length} bytes of data`, problem: 'the record ends earlier', remedy: 'copy the file again' },
        at + from,
      );
    if (!isFirst) parts.push(magicBytes);
    parts.push(bytes.subarray(from + 8, end));
    from = end + ((4 - (length % 4)) % 4);
    if (flag === 0) return { data: parts[0]!, end: at + from };
    if (flag === 3) return { data: Buffer.concat(parts), end: at + from };
  }
}

/** @returns cflag and length of the part that begins with these eight bytes */
function partHeader(source: ByteSource, bytes: Buffer, at: number): { flag: number; length: number } {
  if (bytes.length < 8 || bytes.readUInt32LE(0) !== recordMagic) {
    throw source.error(
      {
        expected: 'the start of a record',
        problem: 'found other data',
        remedy: 'use the index of this file, or copy the file again',
      },
      at,
    );
  }
  const word = bytes.readUInt32LE(4);
  return { flag: word >>> 29, length: word & mostPartBytes };
}

/**
 * The byte after a record, for files without an index.
 *
 * @throws {FormatError} when no record begins here, or the file ends within it
 */
export function recordEnd(source: ByteSource, at: number): number {
  for (let from = at; ; ) {
    const { flag, length } = partHeader(source, source.readSync(from, Math.min(8, source.size - from)), from);
    const end = from + 8 + length;
    if (end > source.size)
      throw source.error(
        {
          expected: `${length} bytes of data`,
          problem: 'the file ends',
          remedy: 'it may be truncated, so copy it again',
        },
        from,
      );
    from = Math.min(source.size, end + ((4 - (length % 4)) % 4));
    if (flag === 0 || flag === 3) return from;
  }
}

/** @returns a record as it lies in the file */
export function encodeRecord(data: Uint8Array): Buffer {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.length);
  const cuts = magicPlaces(bytes);
  const starts = [0, ...cuts.map((cut) => cut + 4)];
  const parts = starts.map((start, i) => bytes.subarray(start, cuts[i] ?? bytes.length));
  return Buffer.concat(parts.flatMap((part, i) => encodePart(part, partFlag(i, parts.length))));
}

function magicPlaces(bytes: Buffer): number[] {
  const places: number[] = [];
  for (let at = bytes.indexOf(magicBytes); at >= 0; at = bytes.indexOf(magicBytes, at + 1))
    if (at % 4 === 0) places.push(at);
  return places;
}

function partFlag(index: number, count: number): number {
  if (count === 1) return 0;
  if (index === 0) return 1;
  return index === count - 1 ? 3 : 2;
}

function encodePart(part: Buffer, flag: number): Buffer[] {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(recordMagic, 0);
  header.writeUInt32LE(((flag << 29) | part.length) >>> 0, 4);
  return [header, part, Buffer.alloc((4 - (part.length % 4)) % 4)];
}
