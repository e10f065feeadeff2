import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytesSource } from '../../src/format/byte-source.ts';
import { readFaceRecords, writeFaceRecords } from '../../src/format/face-records.ts';
import { createRecordWriter, openRecords, recordsOf } from '../../src/format/record-file.ts';
import { encodeRecord, parseRecord } from '../../src/format/record-io.ts';
import { fixtureBytes, fixtureFile, fixtureText } from '../support/fixtures.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'records-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const hex = (text: string): string => text.replaceAll(/[ |]/g, '');

describe('the byte layout', () => {
  test('a record is magic, length, data, and zeros up to a multiple of four', () => {
    expect(encodeRecord(Buffer.from('abcde')).toString('hex')).toBe(hex('0a23d7ce 05000000 6162636465 000000'));
  });

  test('splits data that contain the magic at a multiple of four: cflag 1, 2, 3 in the upper three bits', () => {
    const data = Buffer.from(hex('01020304 0a23d7ce 05060708 0a23d7ce 09'), 'hex');
    const first = '0a23d7ce 04000020 01020304';
    const middle = '0a23d7ce 04000040 05060708';
    const last = '0a23d7ce 01000060 09 000000';
    expect(encodeRecord(data).toString('hex')).toBe(hex(first + middle + last));
    expect(encodeRecord(Buffer.from(hex('01 0a23d7ce'), 'hex')).readUInt32LE(4)).toBe(5); // not at a multiple: whole
  });

  test('parses whatever it encoded', () => {
    const piece = fc.oneof(fc.constant<number[]>([0x0a, 0x23, 0xd7, 0xce]), fc.array(fc.nat(255), { maxLength: 9 }));
    const check = (pieces: number[][]): void => {
      const data = Buffer.from(pieces.flat());
      const bytes = encodeRecord(data);
      expect(parseRecord(bytesSource(bytes), bytes, 0)).toEqual({ data, end: bytes.length });
    };
    fc.assert(fc.property(fc.array(piece, { maxLength: 8 }), check), { seed: 5 });
  });

  test('an image record is flag, label, two ids, packed labels and image', async () => {
    const file = join(folder, 'a.rec');
    const writer = await createRecordWriter(file);
    await writer.write(7, { labels: [3], id: 7, id2: 1, image: Buffer.from('IMG') }, 'x/a.jpg');
    await writer.write(9, { labels: [1, 2.5], id: 9, id2: 0, image: Buffer.from('J') }, 'x/b.jpg');
    await writer.close();
    const single = '00000000 00004040 0700000000000000 0100000000000000 494d47 00';
    const packed = '02000000 00000000 0900000000000000 0000000000000000 0000803f 00002040 4a 000000';
    const expected = `0a23d7ce 1b000000 ${single} 0a23d7ce 21000000 ${packed}`;
    expect(readFileSync(file, 'hex')).toBe(hex(expected));
    expect(readFileSync(join(folder, 'a.idx'), 'utf8')).toBe('7\t0\n9\t36\n');
    expect(readFileSync(join(folder, 'a.lst'), 'utf8')).toBe('7\t3\tx/a.jpg\n9\t1\t2.5\tx/b.jpg\n');
    expect(readdirSync(folder).length).toBe(3);
  });
});

describe("a set in InsightFace's layout", () => {
  test('reads back people, images and the ranges of record 0', async () => {
    const file = join(folder, 'train.rec');
    const people = [['a0', 'a1', 'a2'], ['b0'], ['c0', 'c1']].map((names) => names.map((name) => Buffer.from(name)));
    expect((await writeFaceRecords(file, people)).classes).toBe(3);
    const records = await openRecords(file);
    expect((await records.read(0)).labels).toEqual([7, 10]);
    expect((await records.read(8)).labels).toEqual([4, 5]);
    const { keys, labels, classes } = readFaceRecords(records);
    expect(classes).toBe(3);
    const images = Array.from(keys, (key, i) => `${labels[i]}${Buffer.from(records.readSync(key).image)}`);
    expect(images).toEqual(['0a0', '0a1', '0a2', '1b0', '2c0', '2c1']);
    await records.close();
  });

  test('omits ranges if there are too many keys for float32 labels', async () => {
    const file = join(folder, 'train.rec');
    const people = [['a0', 'a1'], ['b0']].map((names) => names.map((name) => Buffer.from(name)));
    for (const [largestKey, kept] of [
      [6, 6],
      [5, 3],
    ] as const) {
      await writeFaceRecords(file, people, largestKey);
      const records = await openRecords(file);
      expect(records.keys.length).toBe(kept);
      const { keys, labels, classes } = readFaceRecords(records);
      expect([[...keys], [...labels], classes]).toEqual([[1, 2, 3], [0, 0, 1], 2]);
      await records.close();
    }
  });

  test('scans files without an index once', async () => {
    const file = join(folder, 'train.rec');
    await writeFaceRecords(file, [[Buffer.from('a')], [Buffer.from('b')]]);
    rmSync(join(folder, 'train.idx'));
    const records = await openRecords(file);
    expect([...records.keys]).toEqual([0, 1, 2, 3, 4]);
    expect(readFaceRecords(records)).toEqual({
      keys: Float64Array.of(0, 1),
      labels: Uint32Array.of(0, 1),
      classes: 2,
    });
    expect(Buffer.from((await records.read(1)).image).toString()).toBe('b');
    await records.close();
  });

  test('gives the byte offset of a wrong index and a truncated file', async () => {
    const record = encodeRecord(Buffer.alloc(30, 1));
    const open = async (index: string, bytes: Buffer = record) =>
      recordsOf(bytesSource(bytes, 'a.rec'), bytesSource(Buffer.from(index), 'a.idx'));
    await expect(open('0\t0\n0\t4\n')).rejects.toThrow('Expected each key once');
    await expect(open('0\t0\nx\n')).rejects.toThrow(
      'a.idx (at byte 4): Expected a key, a tab and a byte offset on each line but found another form: write the index again.',
    );
    await expect(open('0\t4000\n')).rejects.toThrow('use the index of this file');
    await expect((await open('0\t4\n')).read(0)).rejects.toThrow('(at byte 4)');
    await expect((await open('0\t0\n', record.subarray(0, 20))).read(0)).rejects.toThrow('the record ends earlier');
    await expect((await open('0\t0\n')).read(1)).rejects.toThrow('Expected record 1');
  });
});

describe('files written by MXNet (fixtures/records/make.py)', () => {
  const listed = (name: string): string[][] =>
    fixtureText(`records/${name}.lst`)
      .trim()
      .split('\n')
      .map((line) => line.split('\t'));

  test('has the labels, ids and JPEGs of its list for six faces', async () => {
    const file = await openRecords(fixtureFile('records/faces.rec'));
    expect([...file.keys].toSorted()).toEqual([0, 1, 2, 3, 4, 5]);
    for (const [key, label] of listed('faces')) {
      const record = await file.read(Number(key));
      expect(record).toMatchObject({ labels: [Number(label)], id: Number(key), id2: 0 });
      expect([...record.image.subarray(0, 2), ...record.image.subarray(-2)]).toEqual([0xff, 0xd8, 0xff, 0xd9]);
    }
    expect(readFaceRecords(file)).toMatchObject({ classes: 2 });
    await file.close();
  });

  test('reads three photos with four packed labels each', async () => {
    const file = await openRecords(fixtureFile('records/packed.rec'));
    for (const [key, ...rest] of listed('packed')) {
      const record = await file.read(Number(key));
      expect(record.labels).toEqual(rest.slice(0, -1).map((label) => Math.fround(Number(label))));
      expect([...record.image.subarray(0, 2)]).toEqual([0xff, 0xd8]);
    }
    await file.close();
  });

  test('reads data that contain the magic', async () => {
    const magic = Buffer.from('0a23d7ce', 'hex').toString('latin1');
    const data = [magic, `abc${magic}`, `abcd${magic}${magic}e`, `${magic.repeat(3)}xy${magic}`, ''];
    const file = await openRecords(fixtureFile('records/magic.rec'));
    for (const [key, expected] of data.entries())
      expect(Buffer.from((await file.read(key)).image).toString('latin1'), `record ${key}`).toBe(expected);
    await file.close();
  });

  test.each(['faces', 'packed', 'magic'])('%s: writes every byte again as it was', async (name) => {
    const original = await openRecords(fixtureFile(`records/${name}.rec`));
    const writer = await createRecordWriter(join(folder, `${name}.rec`));
    const order = fixtureText(`records/${name}.idx`)
      .trim()
      .split('\n')
      .map((line) => Number(line.split('\t')[0]));
    for (const key of order) await writer.write(key, await original.read(key));
    await writer.close();
    for (const ending of ['.rec', '.idx'])
      expect(readFileSync(join(folder, name + ending)).equals(fixtureBytes(`records/${name}${ending}`)), ending).toBe(
        true,
      );
    await original.close();
  });
});
