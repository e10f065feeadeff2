/** Writes zip archives in torch's layout: stored, each content aligned to 64 bytes, zip64 where needed. */
import { crc32 } from './crc32.ts';
import type { FileWriter } from './file-writer.ts';

interface Written {
  readonly name: Buffer;
  readonly crc: number;
  readonly size: number;
  readonly headerAt: number;
}

const alignment = 64;
const widest = 0xffffffff;

export class ZipWriter {
  readonly #file: FileWriter;
  readonly #entries: Written[] = [];

  constructor(file: FileWriter) {
    this.#file = file;
  }

  async add(name: string, content: Uint8Array): Promise<void> {
    const entry = { name: Buffer.from(name), crc: crc32(content), size: content.length, headerAt: this.#file.length };
    this.#entries.push(entry);
    await this.#file.append(localHeader(entry));
    await this.#file.append(content);
  }

  /** Writes the directory, which completes the archive. */
  async end(): Promise<void> {
    const start = this.#file.length;
    for (const entry of this.#entries) await this.#file.append(directoryRecord(entry));
    await this.#file.append(endRecord(this.#entries.length, start, this.#file.length - start));
  }
}

/** Sizes and offset that do not fit in 32 bits. */
function wideExtra(values: readonly number[]): Buffer {
  const wide = values.filter((value) => value >= widest);
  const extra = Buffer.alloc(wide.length === 0 ? 0 : 4 + 8 * wide.length);
  if (wide.length > 0) {
    extra.writeUInt16LE(1, 0);
    extra.writeUInt16LE(8 * wide.length, 2);
  }
  for (const [i, value] of wide.entries()) extra.writeBigUInt64LE(BigInt(value), 4 + 8 * i);
  return extra;
}

function localHeader({ name, crc, size, headerAt }: Written): Buffer {
  const wide = wideExtra([size, size]);
  const unpadded = headerAt + 30 + name.length + wide.length + 4;
  const padding = Buffer.alloc(4 + ((alignment - (unpadded % alignment)) % alignment));
  padding.write('FB', 'latin1'); // torch's own tag for padding
  padding.writeUInt16LE(padding.length - 4, 2);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(wide.length > 0 ? 45 : 20, 4);
  header.writeUInt16LE(0x800, 6); // names in UTF-8
  header.writeUInt32LE(crc, 14);
  header.writeUInt32LE(Math.min(size, widest), 18);
  header.writeUInt32LE(Math.min(size, widest), 22);
  header.writeUInt16LE(name.length, 26);
  header.writeUInt16LE(wide.length + padding.length, 28);
  return Buffer.concat([header, name, wide, padding]);
}

function directoryRecord({ name, crc, size, headerAt }: Written): Buffer {
  const wide = wideExtra([size, size, headerAt]);
  const record = Buffer.alloc(46);
  record.writeUInt32LE(0x02014b50, 0);
  record.writeUInt16LE(wide.length > 0 ? 45 : 20, 6);
  record.writeUInt16LE(0x800, 8);
  record.writeUInt32LE(crc, 16);
  record.writeUInt32LE(Math.min(size, widest), 20);
  record.writeUInt32LE(Math.min(size, widest), 24);
  record.writeUInt16LE(name.length, 28);
  record.writeUInt16LE(wide.length, 30);
  record.writeUInt32LE(Math.min(headerAt, widest), 42);
  return Buffer.concat([record, name, wide]);
}

function endRecord(count: number, start: number, size: number): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  for (const at of [8, 10]) end.writeUInt16LE(Math.min(count, 0xffff), at);
  end.writeUInt32LE(Math.min(size, widest), 12);
  end.writeUInt32LE(Math.min(start, widest), 16);
  if (start < widest && count < 0xffff) return end;
  const wide = Buffer.alloc(56 + 20);
  wide.writeUInt32LE(0x06064b50, 0);
  wide.writeBigUInt64LE(44n, 4);
  for (const at of [12, 14]) wide.writeUInt16LE(45, at);
  for (const at of [24, 32]) wide.writeBigUInt64LE(BigInt(count), at);
  wide.writeBigUInt64LE(BigInt(size), 40);
  wide.writeBigUInt64LE(BigInt(start), 48);
  wide.writeUInt32LE(0x07064b50, 56);
  wide.writeBigUInt64LE(BigInt(start + size), 64);
  wide.writeUInt32LE(1, 72);
  return Buffer.concat([wide, end]);
}
