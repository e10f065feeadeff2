/**
 * Tar shards as webdataset uses them: a sample is a run of files with the same name up to the first dot of the last part
 * (`000017.jpg`, `000017.cls`). A scan of the headers locates each file, for reads in order or at random.
 *
 * @see POSIX.1-2017, pax: ustar interchange format; https://github.com/webdataset/webdataset
 */
import type { Fault } from '../fault.ts';
import { type ByteSource, openBytesSync } from './byte-source.ts';
import { FileWriter } from './file-writer.ts';

const block = 512;
const mostNameBytes = 1 << 16;

/** One file of a shard. */
export interface TarEntry {
  readonly name: string;
  /** Offset of its content in the shard. */
  readonly offset: number;
  readonly size: number;
}

/** The files of one sample, by extension: `jpg`, `cls`. */
export interface TarSample {
  readonly key: string;
  readonly files: ReadonlyMap<string, TarEntry>;
}

/** An open tar shard. Close it after use. */
export interface TarShard {
  readonly samples: readonly TarSample[];
  read(entry: TarEntry): Promise<Buffer>;
  readSync(entry: TarEntry): Buffer;
  /** @returns the error for a file with unsuitable content */
  error(fault: Fault, entry: TarEntry): Error;
  close(): Promise<void>;
  closeSync(): void;
}

/**
 * Opens a tar shard and lists its samples; their files are read on demand.
 *
 * @throws {FormatError} if a header is damaged or points outside the file
 */
export async function openTarShard(file: string | ByteSource): Promise<TarShard> {
  return openTarShardSync(file);
}

/** The same, synchronously, for checks before a run begins. */
export function openTarShardSync(file: string | ByteSource): TarShard {
  const source = typeof file === 'string' ? openBytesSync(file) : file;
  try {
    return {
      samples: groupSamples(walk(source)),
      read: ({ offset, size }) => source.read(offset, size),
      readSync: ({ offset, size }) => source.readSync(offset, size),
      error: (fault, { offset }) => source.error(fault, offset),
      close: () => source.close(),
      closeSync: () => source.closeSync(),
    };
  } catch (error) {
    source.closeSync();
    throw error;
  }
}

/** Regular files in order; links, folders and the like are skipped. */
function* walk(source: ByteSource): Generator<TarEntry> {
  let [longName, longSize]: [string | undefined, number | undefined] = [undefined, undefined];
  for (let at = 0; at + block <= source.size; ) {
    const header = source.readSync(at, block);
    if (header.every((byte) => byte === 0)) return;
    expectChecksum(source, header, at);
    const type = String.fromCharCode(header[156]!);
    const size: number = longSize ?? tarNumber(header, 124, 12);
    const offset = at + block;
    if (!Number.isSafeInteger(size) || size < 0 || offset + size > source.size) {
      throw source.error(
        {
          expected: 'a file within the shard',
          problem: `its size is ${size}`,
          remedy: 'the shard may be truncated, so copy it again',
        },
        at,
      );
    }
    at = offset + block * Math.ceil(size / block);
    if (type === 'x' || type === 'L') {
      if (size > mostNameBytes)
        throw source.error(
          { expected: 'a name', problem: `it claims ${size} bytes`, remedy: 'write the shard again' },
          offset,
        );
      const text: string = source.readSync(offset, size).toString('utf8');
      longName = type === 'L' ? text.replace(/\0.*$/s, '') : (paxField(text, 'path') ?? longName);
      if (type === 'x') longSize = Number(paxField(text, 'size') ?? Number.NaN) || undefined;
      continue;
    }
    const prefix = header.toString('latin1', 257, 262) === 'ustar' ? tarText(header, 345, 155) : '';
    const name = longName ?? (prefix === '' ? '' : `${prefix}/`) + tarText(header, 0, 100);
    [longName, longSize] = [undefined, undefined];
    if (type === '0' || type === '\0') yield { name, offset, size };
  }
}

function expectChecksum(source: ByteSource, header: Buffer, at: number): void {
  let sum = 8 * 32;
  for (let i = 0; i < block; i++) if (i < 148 || i >= 156) sum += header[i]!;
  if (sum !== tarNumber(header, 148, 8))
    throw source.error(
      { expected: 'a file header', problem: 'found other data', remedy: 'check that this is a tar shard' },
      at,
    );
}

/** A line `length key=value` of a pax header. */
const paxField = (text: string, key: string): string | undefined =>
  new RegExp(`^\\d+ ${key}=(.*)$`, 'm').exec(text)?.[1];

function groupSamples(entries: Iterable<TarEntry>): TarSample[] {
  const samples: { key: string; files: Map<string, TarEntry> }[] = [];
  for (const entry of entries) {
    const base = entry.name.lastIndexOf('/') + 1;
    const dot = entry.name.indexOf('.', base);
    if (dot <= base) continue; // no extension, or a hidden file as macOS adds
    const [key, kind] = [entry.name.slice(0, dot), entry.name.slice(dot + 1).toLowerCase()];
    const last = samples.at(-1);
    if (last?.key === key && !last.files.has(kind)) last.files.set(kind, entry);
    else samples.push({ key, files: new Map([[kind, entry]]) });
  }
  return samples;
}

/** A shard being written. */
export interface TarWriter {
  /** @param name - such as `000017.jpg`; write the files of a sample consecutively */
  write(name: string, content: Uint8Array): Promise<void>;
  close(): Promise<void>;
  discard(): Promise<void>;
}

/** Starts a tar shard. */
export async function createTarWriter(path: string): Promise<TarWriter> {
  const file = await FileWriter.create(path);
  const add = async (header: Buffer, content: Uint8Array): Promise<void> => {
    const padding = Buffer.alloc((block - (content.length % block)) % block);
    await Promise.all([header, content, padding].map((part) => file.append(part)));
  };
  return {
    async write(name, content) {
      const bytes = Buffer.from(name);
      // A name too long for the header is written before it, as in GNU tar.
      if (bytes.length > 100) await add(tarHeader('././@LongLink', { size: bytes.length, type: 'L' }), bytes);
      await add(tarHeader(name, { size: content.length, type: '0' }), content);
    },
    async close() {
      await file.append(Buffer.alloc(2 * block));
      await file.commit();
    },
    discard: () => file.discard(),
  };
}

/** @returns text up to the first zero byte */
export const tarText = (header: Buffer, at: number, length: number): string =>
  header.toString('utf8', at, at + length).replace(/\0.*$/s, '');

/** Octal text, or base 256 if the first bit is set; NaN for anything else. */
export function tarNumber(header: Buffer, at: number, length: number): number {
  if ((header[at]! & 0x80) !== 0) return Number(BigInt(`0x${header.toString('hex', at + 1, at + length)}`));
  const text = tarText(header, at, length).trim();
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
}

/** @returns a ustar header, the 512 bytes before each file, with its checksum; it does not depend on the time or the user */
export function tarHeader(name: string, { size, type }: { readonly size: number; readonly type: '0' | 'L' }): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100, 'utf8');
  header.write('0000644\x000000000\x000000000\x00', 100, 'latin1');
  if (size < 8 ** 11) header.write(size.toString(8).padStart(11, '0'), 124, 'latin1');
  else header.write(`80${size.toString(16).padStart(22, '0')}`, 124, 'hex');
  header.write('00000000000\x00', 136, 'latin1');
  header.write('        ', 148, 'latin1');
  header.write(type, 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\x00 `, 148, 'latin1');
  return header;
}
