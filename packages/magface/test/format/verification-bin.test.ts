import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bytesSource } from '../../src/format/byte-source.ts';
import { openVerificationBin, writeVerificationBin } from '../../src/format/verification-bin.ts';

const open = (codes: string) => openVerificationBin(bytesSource(Buffer.from(codes, 'latin1'), 'lfw.bin'));

async function contents(codes: string): Promise<unknown> {
  const bin = await open(codes);
  const images = await Promise.all([0, 1].map(async (i) => (await bin.readImage(i)).toString('latin1')));
  return { same: bin.same, images };
}

test('reads back what it wrote', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bin-'));
  const file = join(folder, 'set.bin');
  const image = (text: string): Buffer => Buffer.from(text);
  await writeVerificationBin(file, [
    { images: [image('a'), image('bb')], same: true },
    { images: [image('ccc'), image('')], same: false },
  ]);
  const bin = await openVerificationBin(file);
  expect(bin.same).toEqual([true, false]);
  expect((await bin.readImage(2)).toString()).toBe('ccc');
  expect((await bin.readImage(3)).length).toBe(0);
  await expect(bin.readImage(4)).rejects.toThrow('Expected an image number below 4');
  await bin.close();
  rmSync(folder, { recursive: true });
});

/** Each as `pickle.dumps(([b'\xff\xd8', b'b'], [True]), protocol)` of the Python named prints it. */
test.each([
  ['Python 2, protocol 2', '\x80\x02]q\x00(U\x02\xff\xd8q\x01U\x01bq\x02e]q\x03\x88a\x86q\x04.'],
  [
    'Python 3, protocol 2',
    '\x80\x02]q\x00(c_codecs\nencode\nq\x01X\x03\x00\x00\x00\xc3\xbf\xc3\x98'.replace('X\x03\x00', 'X\x04\x00') +
      'q\x02X\x06\x00\x00\x00latin1q\x03\x86q\x04Rq\x05h\x01X\x01\x00\x00\x00bq\x06h\x03\x86q\x07Rq\x08e]q\t\x88a\x86q\n.',
  ],
  [
    'Python 3, protocol 4',
    '\x80\x04\x95\x14\x00\x00\x00\x00\x00\x00\x00]\x94(C\x02\xff\xd8\x94C\x01b\x94e]\x94\x88a\x86\x94.',
  ],
])('reads files written by %s', async (_, codes) => {
  expect(await contents(codes)).toEqual({ same: [true], images: ['\xff\xd8', 'b'] });
});

test.each([
  ['cposix\nsystem\n(U\x01atR.', "uses Python's posix.system, which could run code"],
  ['](U\x01aU\x01be]\x88\x88\x86.', 'two lists with two images per label'],
  ['](U\x01aK\x01e](\x88e\x86.', 'image 1 as bytes'],
  ['](B\xff\xff\xff\x7f', 'the file ends'],
  ['', 'the file ends'],
])('rejects %j', async (codes, message) => {
  await expect(open(codes)).rejects.toThrow(message);
});
