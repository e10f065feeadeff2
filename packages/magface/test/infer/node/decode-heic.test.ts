/** HEIC files, of four flat quarters, made by heif-enc of libheif 1.15. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { canReadHeic, isHeic } from '../../../src/infer/node/decode-heic.ts';
import { readImage } from '../../../src/infer/node/read-image.ts';
import { fixtureBytes } from '../../support/fixtures.ts';
import { temporaryFolder } from '../../train/small-set.ts';

const quarters = () => fixtureBytes('images/quads.heic');

test('is read like any other image', async () => {
  expect(canReadHeic()).toBe(true);
  const { data, width, height } = await readImage(quarters());
  expect([width, height, data.length]).toEqual([96, 64, 3 * 96 * 64]);
  const at = (x: number, y: number): number[] => [...data.subarray(3 * (y * width + x), 3 * (y * width + x) + 3)];
  const near = (...colour: number[]) =>
    colour.map((value) => expect.toSatisfy((one: number) => Math.abs(one - value) < 8));
  expect(at(20, 10)).toEqual(near(220, 40, 30));
  expect(at(80, 10)).toEqual(near(30, 200, 60));
  expect(at(20, 50)).toEqual(near(40, 60, 210));
  expect(at(80, 50)).toEqual(near(240, 230, 80));
});

test('is told from AVIF and from other files by its type box', () => {
  expect(isHeic(quarters())).toBe(true);
  const box = (brands: string): Uint8Array => {
    const bytes = Buffer.alloc(8 + brands.length);
    bytes.writeUInt32BE(bytes.length);
    bytes.write(`ftyp${brands}`, 4, 'latin1');
    return bytes;
  };
  expect(isHeic(box('mif1\0\0\0\0mif1heic'))).toBe(true);
  expect(isHeic(box('avif\0\0\0\0mif1avif'))).toBe(false);
  expect(isHeic(box('isom\0\0\0\0isommp42'))).toBe(false);
  expect(isHeic(Buffer.from('heic'))).toBe(false);
});

test('a damaged or a too large one is refused in one sentence that names it', async () => {
  const log = vi.spyOn(console, 'log');
  const file = join(temporaryFolder(), 'cut.heic');
  writeFileSync(file, quarters().subarray(0, 300));
  await expect(readImage(file)).rejects.toMatchObject({
    code: 'image_unreadable',
    message: expect.stringMatching(
      /^Expected a complete image but .*cut\.heic is truncated or damaged \(Invalid input.*\): copy or/,
    ),
  });
  expect(log).not.toHaveBeenCalled();
  log.mockRestore();
  await expect(readImage(quarters(), { limits: { pixels: 1000 } })).rejects.toMatchObject({ code: 'image_too_large' });
});

test('without libheif-js the error says how to get it', async () => {
  vi.resetModules();
  vi.doMock('node:module', () => ({
    createRequire: () => () => {
      throw Object.assign(new Error("Cannot find module 'libheif-js/wasm-bundle'"), { code: 'MODULE_NOT_FOUND' });
    },
  }));
  const { readImage: without } = await import('../../../src/infer/node/read-image.ts');
  vi.doUnmock('node:module');
  await expect(without(quarters())).rejects.toMatchObject({
    code: 'image_unreadable',
    message: expect.stringMatching(/is HEIC, whose decoder is not included: npm install libheif-js/),
  });
});
