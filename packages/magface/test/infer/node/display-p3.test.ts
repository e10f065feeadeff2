/** Display P3 against what libvips' colour management makes of the same colours. */
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { isDisplayP3, srgbFromDisplayP3 } from '../../../src/infer/node/display-p3.ts';
import { readImage } from '../../../src/infer/node/read-image.ts';
import { fixtureBytes } from '../../support/fixtures.ts';

const colours = [
  200, 60, 40, 90, 140, 30, 60, 80, 190, 128, 128, 128, 250, 240, 230, 20, 10, 15, 0, 0, 0, 255, 255, 255,
];
const original = () => sharp(Uint8Array.from(colours), { raw: { width: 8, height: 1, channels: 3 } });
/** Values as stored, after a conversion to Display P3. */
const stored = (): Promise<Buffer> => original().withIccProfile('p3').raw().toBuffer();
const near = (values: readonly number[]) =>
  values.map((value) => expect.toSatisfy((one: number) => Math.abs(one - value) <= 2));

test('converts to the sRGB that colour management gives', async () => {
  const data = new Uint8Array(await stored());
  expect([...data]).not.toEqual(near(colours));
  srgbFromDisplayP3(data, 3);
  expect([...data]).toEqual(near(colours));
});

test('keeps transparency, and clips what sRGB does not have', () => {
  const data = Uint8Array.of(255, 0, 0, 7);
  srgbFromDisplayP3(data, 4);
  expect([...data]).toEqual([255, 0, 0, 7]);
});

test.each(['png of 16 bit', 'png', 'jpeg', 'avif of 10 bit'])('%s in Display P3 is read as sRGB', async (name) => {
  const large = original().resize(64, 8, { kernel: 'nearest' });
  const wide = (name === 'png of 16 bit' ? large.toColourspace('rgb16') : large).withIccProfile('p3');
  const files = {
    'png of 16 bit': () => wide.png(),
    png: () => wide.png(),
    jpeg: () => wide.jpeg({ quality: 100, chromaSubsampling: '4:4:4' }),
    'avif of 10 bit': () => wide.avif({ lossless: true, bitdepth: 10, chromaSubsampling: '4:4:4' }),
  };
  const bytes = await files[name as keyof typeof files]().toBuffer();
  const { data, width } = await readImage(bytes);
  const middles = colours.flatMap((_, i) => data[3 * (4 * width + 8 * Math.floor(i / 3) + 4) + (i % 3)]!);
  expect(middles).toEqual(near(colours));
});

const box = (kind: string, content: Uint8Array): Buffer => {
  const head = Buffer.alloc(12);
  head.writeUInt32BE(12 + content.length);
  head.write(`colr${kind}`, 4, 'latin1');
  return Buffer.concat([head, content]);
};

test('tells Display P3 by its profile or its code', async () => {
  const iccOf = async (name: string) =>
    (await sharp(await original().withIccProfile(name).png().toBuffer()).metadata()).icc!;
  const heic = fixtureBytes('images/quads.heic');
  const file = (colour: Uint8Array): Uint8Array => Buffer.concat([heic, colour]);
  expect(isDisplayP3(heic)).toBe(false);
  expect(isDisplayP3(file(box('prof', await iccOf('p3'))))).toBe(true);
  expect(isDisplayP3(file(box('prof', await iccOf('srgb'))))).toBe(false);
  expect(isDisplayP3(file(box('nclx', Uint8Array.of(0, 12, 0, 13, 0, 1, 0x80))))).toBe(true);
  expect(isDisplayP3(file(box('nclx', Uint8Array.of(0, 1, 0, 13, 0, 1, 0x80))))).toBe(false);
  expect(isDisplayP3(file(box('prof', new Uint8Array(20))))).toBe(false);
});

/** Nothing here writes HEIC, so the box stands at the end of a file instead of among its properties. */
test('HEIC in Display P3 is read as sRGB', async () => {
  const heic = fixtureBytes('images/quads.heic');
  const plain = await readImage(heic);
  const expected = plain.data.slice();
  srgbFromDisplayP3(expected, 3);
  const { data } = await readImage(Buffer.concat([heic, box('nclx', Uint8Array.of(0, 12, 0, 13, 0, 1, 0x80))]));
  expect(data).toEqual(expected);
});
