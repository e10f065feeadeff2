import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { FormatError } from '../../src/errors.ts';
import { type ByteSource, bytesSource } from '../../src/format/byte-source.ts';
import { crc32, crc32ByTable } from '../../src/format/crc32.ts';
import type { FileWriter } from '../../src/format/file-writer.ts';
import { readZipDirectory, readZipEntry } from '../../src/format/zip.ts';
import { ZipWriter } from '../../src/format/zip-writer.ts';

/** An archive as the writer makes it, whose first byte is byte `start` of a file; 64-bit when that is beyond 4 GiB. */
async function archive(files: Readonly<Record<string, string>>, start = 0): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  const file = {
    length: start,
    append: async (bytes: Uint8Array): Promise<void> => {
      parts.push(Uint8Array.from(bytes));
      file.length += bytes.length;
    },
  };
  const zip = new ZipWriter(file as unknown as FileWriter);
  for (const [name, content] of Object.entries(files)) await zip.add(name, Buffer.from(content));
  await zip.end();
  return Buffer.concat(parts);
}

/** The bytes as the end of a file of zeros. */
function atEnd(bytes: Buffer, start: number): ByteSource {
  const source = bytesSource(bytes, 'large.zip');
  const read = async (offset: number, length: number): Promise<Buffer> => {
    const zeros = Buffer.alloc(Math.max(0, start - offset));
    return Buffer.concat([zeros, await source.read(Math.max(0, offset - start), length - zeros.length)]);
  };
  return { ...source, size: start + bytes.length, read };
}

async function readAll(source: ByteSource): Promise<Record<string, string>> {
  const read: Record<string, string> = {};
  for (const [name, entry] of await readZipDirectory(source)) read[name] = String(await readZipEntry(source, entry));
  return read;
}

const directoryOf = (bytes: Buffer): number => bytes.readUInt32LE(bytes.length - 6);

describe('valid archives', () => {
  test('reads an empty archive', async () => {
    const empty = await archive({});
    expect(empty).toHaveLength(22);
    expect(await readAll(bytesSource(empty, 'empty.zip'))).toEqual({});
  });

  test('reads back what it wrote', async () => {
    const files = { a: 'first', 'b/ü': 'second' };
    expect(await readAll(bytesSource(await archive(files)))).toEqual(files);
  });

  test('uses 64-bit offsets beyond 4 GiB', async () => {
    const [files, start] = [{ a: 'first', b: 'second' }, 2 ** 32 + 640];
    const bytes = await archive(files, start);
    expect(bytes.readUInt32LE(bytes.length - 6)).toBe(0xffffffff);
    expect(await readAll(atEnd(bytes, start))).toEqual(files);
  });

  test('accepts sizes after the data, as streaming writers write them', async () => {
    const content = Buffer.from('streamed '.repeat(50));
    const packed = deflateRawSync(content);
    const header = Buffer.alloc(30 + 1);
    header.writeUInt32LE(0x04034b50, 0);
    header.writeUInt16LE(8, 6); // a descriptor follows; sizes and checksum are zero here
    header.writeUInt16LE(8, 8);
    header.writeUInt16LE(1, 26);
    header.write('s', 30);
    const descriptor = Buffer.alloc(16);
    for (const [i, value] of [0x08074b50, crc32(content), packed.length, content.length].entries()) {
      descriptor.writeUInt32LE(value, 4 * i);
    }
    const record = Buffer.alloc(46 + 1);
    record.writeUInt32LE(0x02014b50, 0);
    record.writeUInt16LE(8, 8);
    record.writeUInt16LE(8, 10);
    for (const [at, value] of [
      [16, crc32(content)],
      [20, packed.length],
      [24, content.length],
    ] as const)
      record.writeUInt32LE(value, at);
    record.writeUInt16LE(1, 28);
    record.write('s', 46);
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt16LE(1, 10);
    end.writeUInt32LE(record.length, 12);
    end.writeUInt32LE(header.length + packed.length + descriptor.length, 16);
    const bytes = Buffer.concat([header, packed, descriptor, record, end]);
    expect(await readAll(bytesSource(bytes))).toEqual({ s: String(content) });
  });

  test('computes the same checksum in both ways', () => {
    const bytes = Buffer.from('123456789');
    expect(crc32ByTable(bytes)).toBe(0xcbf43926);
    expect(crc32(bytes)).toBe(0xcbf43926);
    expect(crc32(bytes.subarray(4), crc32(bytes.subarray(0, 4)))).toBe(0xcbf43926);
  });
});

describe('invalid archives', () => {
  test('detects a flipped bit by the checksum, unless the writer made none', async () => {
    const bytes = await archive({ a: 'content' });
    bytes[bytes.indexOf('content')]! ^= 1;
    const source = bytesSource(bytes, 'a.zip');
    await expect(readAll(source)).rejects.toThrow(
      'a.zip (at byte 0): Expected the checksum of a to match but it differs',
    );
    const entry = (await readZipDirectory(source)).get('a')!;
    expect(String(await readZipEntry(source, entry, { offset: 1, length: 3 }))).toBe('ont'); // a part has no checksum
    bytes.writeUInt32LE(0, directoryOf(bytes) + 16);
    expect(await readAll(bytesSource(bytes))).toEqual({ a: 'bontent' });
  });

  test('rejects entries that overlap each other or the directory', async () => {
    const bytes = await archive({ a: 'x'.repeat(200), b: 'y' });
    const directory = directoryOf(bytes);
    const second = directory + 47;
    const moved = Buffer.from(bytes);
    moved.writeUInt32LE(64, second + 42);
    await expect(readZipDirectory(bytesSource(moved))).rejects.toThrow(FormatError);
    await expect(readZipDirectory(bytesSource(moved))).rejects.toThrow('"a" to end before byte 64');
    const same = Buffer.from(bytes);
    same.writeUInt32LE(0, second + 42);
    await expect(readZipDirectory(bytesSource(same))).rejects.toThrow('to end before byte 0');
    const long = Buffer.from(bytes);
    for (const at of [20, 24]) long.writeUInt32LE(60, second + at);
    await expect(readZipDirectory(bytesSource(long))).rejects.toThrow(`"b" to end before byte ${directory}`);
  });
});
