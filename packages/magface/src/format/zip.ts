/**
 * Reads zip archives by ranges, including zip64, with stored or deflated entries and sizes before or after the data. We use
 * no library because torch storages are read from the middle of entries, and every error must have its byte offset. A whole
 * entry is checked against its CRC-32.
 *
 * @see PKWARE APPNOTE 6.3
 */
import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';
import type { ByteSource } from './byte-source.ts';
import { crc32 } from './crc32.ts';

export interface ZipEntry {
  readonly name: string;
  readonly method: 'stored' | 'deflated';
  /** Packed size in bytes. */
  readonly packedSize: number;
  /** Bytes of the content. */
  readonly size: number;
  /** Offset of the entry's local header. */
  readonly headerAt: number;
  /** CRC-32 of the content; 0 if the writer computed none, an option of torch.save. */
  readonly crc: number;
}

const inflate = promisify(inflateRaw);
const endSignature = 0x06054b50;
const mostEntries = 1_000_000;
/** A large entry with a higher ratio than weights ever have is a zip bomb. */
const [suspectBytes, suspectRatio] = [1 << 26, 100];

/** @throws {FormatError} if the directory is damaged or has duplicate, overlapping or out-of-file entries */
export async function readZipDirectory(source: ByteSource): Promise<Map<string, ZipEntry>> {
  const { count, offset, size } = await directoryPlace(source);
  if (count > mostEntries || count * 46 > size)
    throw source.error({ expected: `fewer entries than ${count}`, remedy: 'check that this is a checkpoint' }, offset);
  const directory = await source.read(offset, size);
  const entries = new Map<string, ZipEntry>();
  for (let at = 0, i = 0; i < count; i++) {
    if (at + 46 > size || directory.readUInt32LE(at) !== 0x02014b50) {
      throw source.error(
        {
          expected: `entry ${i + 1} of ${count} in the archive's directory`,
          problem: 'found other data',
          remedy: 'copy the file again',
        },
        offset + at,
      );
    }
    const end = at + 46 + [28, 30, 32].reduce((sum, field) => sum + directory.readUInt16LE(at + field), 0);
    if (end > size)
      throw source.error(
        { expected: 'a whole entry', problem: 'the directory ends within it', remedy: 'copy the file again' },
        offset + at,
      );
    const entry = entryOf(source, directory.subarray(at, end), offset + at);
    if (entries.has(entry.name))
      throw source.error(
        { expected: `${printable(entry.name)} once`, problem: 'it occurs twice', remedy: 'write the file again' },
        offset + at,
      );
    entries.set(entry.name, entry);
    at = end;
  }
  expectApart(source, [...entries.values()], offset);
  return entries;
}

/** Rejects overlapping entries, with which a small archive unpacks to a huge one. */
function expectApart(source: ByteSource, entries: readonly ZipEntry[], directoryAt: number): void {
  const inOrder = entries.toSorted((a, b) => a.headerAt - b.headerAt);
  for (const [i, { name, headerAt, packedSize }] of inOrder.entries()) {
    const least = headerAt + 30 + Buffer.byteLength(name) + packedSize;
    const next = inOrder[i + 1]?.headerAt ?? directoryAt;
    if (least > next)
      throw source.error(
        {
          expected: `${printable(name)} to end before byte ${next}`,
          problem: 'it overlaps',
          remedy: 'write the file again',
        },
        headerAt,
      );
  }
}

const printable = (name: string): string => JSON.stringify(name.slice(0, 80));

async function directoryPlace(source: ByteSource): Promise<{ count: number; offset: number; size: number }> {
  const length = Math.min(source.size, 22 + 0xffff);
  const tailAt = source.size - length;
  const tail = await source.read(tailAt, length);
  let at = length - 22;
  while (at >= 0 && tail.readUInt32LE(at) !== endSignature) at--;
  if (at < 0)
    throw source.error(
      {
        expected: 'a zip archive',
        problem: 'its directory is missing',
        remedy: 'it may be truncated, so copy it again',
      },
      source.size,
    );
  let [count, size, offset] = [tail.readUInt16LE(at + 10), tail.readUInt32LE(at + 12), tail.readUInt32LE(at + 16)];
  if ((count === 0xffff || size === 0xffffffff || offset === 0xffffffff) && at >= 20) {
    const record = await source.read(uint64(tail, at - 20 + 8), 56);
    if (record.readUInt32LE(0) !== 0x06064b50)
      throw source.error(
        { expected: 'the 64-bit directory', problem: 'found other data', remedy: 'copy the file again' },
        tailAt + at - 20,
      );
    [count, size, offset] = [uint64(record, 32), uint64(record, 40), uint64(record, 48)];
  }
  if (offset + size > source.size)
    throw source.error(
      { expected: 'the directory within the file', problem: 'it is outside', remedy: 'copy the file again' },
      tailAt + at,
    );
  return { count, offset, size };
}

const uint64 = (bytes: Buffer, at: number): number => Number(bytes.readBigUInt64LE(at));

function entryOf(source: ByteSource, record: Buffer, recordAt: number): ZipEntry {
  const nameEnd = 46 + record.readUInt16LE(28);
  const name = record.toString('utf8', 46, nameEnd);
  const method = { 0: 'stored', 8: 'deflated' }[record.readUInt16LE(10)] as ZipEntry['method'] | undefined;
  if (method === undefined || (record.readUInt16LE(8) & 1) !== 0) {
    throw source.error(
      {
        expected: 'an entry stored or deflated without a password',
        problem: 'found another',
        remedy: 'write the file again',
      },
      recordAt,
    );
  }
  const wide = wideFields(record.subarray(nameEnd, nameEnd + record.readUInt16LE(30)));
  const field = (at: number): number => {
    const value = record.readUInt32LE(at);
    return value === 0xffffffff ? (wide.shift() ?? Number.NaN) : value;
  };
  const [size, packedSize, headerAt] = [field(24), field(20), field(42)];
  const possible = [size, packedSize, headerAt].every(Number.isSafeInteger) && headerAt + packedSize <= source.size;
  if (!possible || (method === 'stored' && size !== packedSize)) {
    throw source.error(
      {
        expected: 'an entry within the file and of consistent size',
        problem: 'this one is not',
        remedy: 'copy the file again',
      },
      recordAt,
    );
  }
  if (size > suspectBytes && size > suspectRatio * packedSize) {
    throw source.error(
      {
        expected: 'weights',
        problem: `${packedSize} bytes claim to unpack to ${size}, like a zip bomb`,
        remedy: 'do not use this file',
      },
      recordAt,
    );
  }
  return { name, method, packedSize, size, headerAt, crc: record.readUInt32LE(16) };
}

/** The 64-bit sizes and offset of the extra field, if they do not fit in 32 bits, in their fixed order. */
function wideFields(extra: Buffer): number[] {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue;
    const end = Math.min(extra.length, at + 4 + extra.readUInt16LE(at + 2));
    return Array.from({ length: Math.min(3, (end - at - 4) >> 3) }, (_, i) => uint64(extra, at + 4 + 8 * i));
  }
  return [];
}

/**
 * @param range - of the content. @default all of it
 * @throws {FormatError} if the entry contradicts the directory
 */
export async function readZipEntry(
  source: ByteSource,
  entry: ZipEntry,
  range: { readonly offset: number; readonly length: number } = { offset: 0, length: entry.size },
): Promise<Buffer> {
  const { offset, length } = range;
  if (offset + length > entry.size)
    throw source.error(
      { expected: `${offset + length} bytes in ${entry.name}`, problem: 'it has fewer', remedy: 'copy the file again' },
      entry.headerAt,
    );
  const header = await source.read(entry.headerAt, 30);
  if (header.readUInt32LE(0) !== 0x04034b50)
    throw source.error(
      { expected: `${entry.name} here`, problem: 'found other data', remedy: 'copy the file again' },
      entry.headerAt,
    );
  const start = entry.headerAt + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (entry.method === 'stored') {
    const content = await source.read(start + offset, length);
    return length === entry.size ? checked(source, entry, content) : content;
  }
  const packed = await source.read(start, entry.packedSize);
  const content = await inflate(packed, { maxOutputLength: Math.max(1, entry.size) }).catch((cause: unknown) => {
    throw source.error(
      {
        expected: `${entry.name} to unpack to ${entry.size} bytes`,
        problem: 'it is damaged',
        remedy: 'copy the file again',
      },
      start,
      cause,
    );
  });
  if (content.length === entry.size) return checked(source, entry, content).subarray(offset, offset + length);
  throw source.error(
    {
      expected: `${entry.name} to unpack to ${entry.size} bytes`,
      problem: `it gave ${content.length}`,
      remedy: 'copy the file again',
    },
    start,
  );
}

function checked(source: ByteSource, { name, crc, headerAt }: ZipEntry, content: Buffer): Buffer {
  if (crc === 0 || crc32(content) === crc) return content;
  throw source.error(
    {
      expected: `the checksum of ${name} to match`,
      problem: 'it differs',
      remedy: 'the file is damaged, so copy it again',
    },
    headerAt,
  );
}
