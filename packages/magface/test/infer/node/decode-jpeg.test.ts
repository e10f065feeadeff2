import sharp, { type JpegOptions } from 'sharp';
import { expect, test } from 'vitest';
import { decodeSmallJpeg } from '../../../src/infer/node/decode-jpeg.ts';

const noise = Uint8Array.from({ length: 112 * 112 * 3 }, (_, i) => (i * 7919) % 251);
const jpeg = (options: JpegOptions) =>
  sharp(noise, { raw: { width: 112, height: 112, channels: 3 } })
    .jpeg(options)
    .toBuffer();

test.each([
  ['4:4:4', false],
  ['4:2:0', false],
  ['4:2:0', true],
])('%s, progressive %s: gives the pixels of sharp, bit for bit', async (chromaSubsampling, progressive) => {
  const bytes = await jpeg({ quality: 92, chromaSubsampling, progressive });
  const pixels = await decodeSmallJpeg(bytes);
  expect(pixels).toMatchObject({ width: 112, height: 112 });
  expect(Buffer.from(pixels!.data).equals(await sharp(bytes).raw().toBuffer())).toBe(true);
});

test('leaves to sharp what it does not decode identically', async () => {
  const bytes = await jpeg({});
  expect(await decodeSmallJpeg(bytes.subarray(0, bytes.length - 100))).toBeUndefined();
  expect(await decodeSmallJpeg(await sharp(bytes).withMetadata({ orientation: 6 }).jpeg().toBuffer())).toBeUndefined();
  expect(await decodeSmallJpeg(await sharp(bytes).toColourspace('b-w').jpeg().toBuffer())).toBeUndefined();
  expect(await decodeSmallJpeg(await sharp(bytes).png().toBuffer())).toBeUndefined();
  expect(await decodeSmallJpeg(await sharp(bytes).resize(600, 600).jpeg().toBuffer())).toBeUndefined();
  expect(await decodeSmallJpeg(new Uint8Array(0))).toBeUndefined();
});
