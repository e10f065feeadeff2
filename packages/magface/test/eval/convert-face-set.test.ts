import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import { convertFaceSet } from '../../src/eval/convert-face-set.ts';
import { writeVerificationBin } from '../../src/format/verification-bin.ts';

let folder: string;
const at = (name: string): string => join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sets-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('converts a .bin to a folder with the official lists, and back to the same .bin', async () => {
  const [a, b, c] = ['\xff\xd8a', '\x89PNG', '\xff\xd8c'].map((text) => Buffer.from(text, 'latin1'));
  const pairs = [
    { images: [a!, b!], same: true },
    { images: [a!, c!], same: false },
  ] as const;
  await writeVerificationBin(at('set.bin'), pairs);
  expect(await convertFaceSet(at('set.bin'), at('set'))).toBe(2);
  expect(readFileSync(at('set/pair.list'), 'utf8')).toBe('000000.jpg 000001.png 1\n000000.jpg 000002.jpg 0\n');
  expect(readFileSync(at('set/img.list'), 'utf8')).toBe('000000.jpg\n000001.png\n000000.jpg\n000002.jpg\n');
  expect(readFileSync(at('set/000001.png')).equals(b!)).toBe(true);
  expect(await convertFaceSet(at('set'), at('back.bin'))).toBe(2);
  expect(readFileSync(at('back.bin')).equals(readFileSync(at('set.bin')))).toBe(true);
  await expect(convertFaceSet(at('set.bin'), at('set.rec'))).rejects.toThrow(ConfigError);
});
