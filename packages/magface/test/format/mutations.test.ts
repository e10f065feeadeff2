/** A short run of what bench/format-mutations.ts does 10,000 times: no damage ends in anything but a result or a FormatError. */
import { deflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { bytesSource } from '../../src/format/byte-source.ts';
import { openTorch } from '../../src/format/torch-file.ts';
import { mutated } from '../support/mutations.ts';
import { isRefusal, type ReaderUnderTest, readersUnderTest } from '../support/readers.ts';

const readers = await readersUnderTest();

// Those that take a path write it first, so that fewer of them fit a short run.
const seedsOf = ({ refuses }: ReaderUnderTest): number => (refuses === undefined ? 200 : 60);

test.each(readers)('$name gives a result or a FormatError for every damaged file', async (reader) => {
  const { name, bytes, readAll } = reader;
  await readAll(bytesSource(bytes, name));
  let refused = 0;
  for (let seed = 0; seed < seedsOf(reader); seed++) {
    const error = await readAll(bytesSource(mutated(bytes, seed), name)).catch((reason: unknown) => reason);
    if (!(error instanceof Error)) continue;
    expect(isRefusal(reader, error), `seed ${seed}: ${error.stack}`).toBe(true);
    refused++;
  }
  if (name !== 'images.list') expect(refused).toBeGreaterThan(0); // where every line is a name
});

test('rejects a zip bomb before unpacking it', async () => {
  const packed = deflateRawSync(Buffer.alloc(200 << 20));
  const name = Buffer.from('a/data.pkl');
  const sizes = (header: Buffer, at: number): void => {
    header.writeUInt32LE(packed.length, at);
    header.writeUInt32LE(200 << 20, at + 4);
  };
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(name.length, 26);
  const record = Buffer.alloc(46);
  record.writeUInt32LE(0x02014b50, 0);
  record.writeUInt16LE(8, 10);
  sizes(record, 20);
  record.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(46 + name.length, 12);
  end.writeUInt32LE(30 + name.length + packed.length, 16);
  const bomb = Buffer.concat([local, name, packed, record, name, end]);
  await expect(openTorch(bytesSource(bomb, 'bomb.pth'))).rejects.toThrow('like a zip bomb');
});
