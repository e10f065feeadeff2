/** The preview of RAW files, the first picture of multi-picture files, and the still of motion photos: all made here. */
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { readRaw } from '../../../src/infer/node/raw-preview.ts';
import { readImage } from '../../../src/infer/node/read-image.ts';
import type { Pixels } from '../../../src/pixels.ts';
import { fujiFile, multiPictureFile, type TiffDirectory, tiffFile } from '../../support/raw-files.ts';

let small: Buffer; // red, 32x24
let large: Buffer; // left half green, right half blue, 640x480
let lossless: Buffer; // as sensors are stored: the header of a larger picture that no viewer decodes
beforeAll(async () => {
  const flat = (width: number, height: number, background: string) =>
    sharp({ create: { width, height, channels: 3, background } });
  small = await flat(32, 24, 'red').jpeg().toBuffer();
  const right = await flat(320, 480, 'blue').png().toBuffer();
  large = await flat(640, 480, 'lime')
    .composite([{ input: right, left: 320, top: 0 }])
    .jpeg()
    .toBuffer();
  lossless = Buffer.from('ffd8ffc3000e0e08000800020011001100ffd9', 'hex');
});

const sensor = { 256: 4000, 257: 3000, 259: 1, 262: 32803 };
const thumbnail = (): TiffDirectory['jpeg'] => ({ as: 'strip', bytes: small });
const preview = (): TiffDirectory['jpeg'] => ({ as: 'strip', bytes: large });

const colourAt = ({ data, width }: Pixels, x: number, y: number): string => {
  const [r, g, b] = data.subarray(3 * (y * width + x));
  return r! > 200 ? 'red' : g! > 200 ? 'green' : b! > 200 ? 'blue' : 'other';
};

/** Of makers, as their files are laid out. */
const files: Readonly<Record<string, () => Buffer>> = {
  'DNG, with the preview in a sub-directory': () =>
    tiffFile([
      {
        entries: { 254: 1, 50706: 0x01040000 },
        jpeg: thumbnail()!,
        within: [{ entries: sensor }, { entries: { 254: 1 }, jpeg: preview()! }],
      },
    ]),
  'NEF of Nikon, big-endian': () =>
    tiffFile(
      [
        {
          entries: { 254: 1 },
          within: [
            { entries: { 254: 1 }, jpeg: { as: 'thumbnail', bytes: large } },
            { entries: { ...sensor, 259: 34713 } },
          ],
        },
      ],
      { bigEndian: true },
    ),
  'CR2 of Canon': () =>
    tiffFile(
      [
        { entries: { 259: 6 }, jpeg: preview()! },
        { entries: {}, jpeg: { as: 'thumbnail', bytes: small } },
        { entries: { 259: 6 }, jpeg: { as: 'strip', bytes: lossless } },
      ],
      { head: Buffer.from('CR\x02\0\0\0\0\0', 'latin1') },
    ),
  'ARW of Sony': () =>
    tiffFile([
      {
        entries: { 259: 6 },
        jpeg: { as: 'thumbnail', bytes: large },
        within: [{ entries: { ...sensor, 259: 32767 } }],
      },
      { entries: {}, jpeg: { as: 'thumbnail', bytes: small } },
    ]),
  'RW2 of Panasonic': () =>
    tiffFile([{ entries: { 262: 32803 }, jpeg: { as: 'panasonic', bytes: large } }], { signature: 0x55 }),
  'RAF of Fujifilm': () => fujiFile(large),
};

describe.each(Object.keys(files))('%s', (name) => {
  test('its largest preview is read', async () => {
    const picture = await readImage(files[name]!());
    expect([picture.width, picture.height]).toEqual([640, 480]);
    expect([colourAt(picture, 10, 10), colourAt(picture, 630, 10)]).toEqual(['green', 'blue']);
  });

  test('cut short at any place, it is refused or read, without another error', async () => {
    const file = files[name]!();
    for (let length = 1; length < file.length; length += 211) {
      const read = readImage(file.subarray(0, length)).then(() => undefined);
      expect(await read.catch((error: unknown) => error)).toSatisfy(
        (error: { code?: string } | undefined) => error === undefined || error.code === 'image_unreadable',
      );
    }
  });
});

test('the file says how the camera was held', async () => {
  const file = (orientation: number) =>
    tiffFile([
      { entries: { 254: 1, 274: orientation, 50706: 0x01040000 }, within: [{ entries: {}, jpeg: preview()! }] },
    ]);
  const turned = await readImage(file(6)); // 90 degrees clockwise: the left side is now at the top
  expect([turned.width, turned.height]).toEqual([480, 640]);
  expect([colourAt(turned, 10, 10), colourAt(turned, 10, 630)]).toEqual(['green', 'blue']);
  const over = await readImage(file(3));
  expect([colourAt(over, 10, 10), colourAt(over, 630, 10)]).toEqual(['blue', 'green']);
});

test('a RAW file without a preview is refused, never read by its thumbnail', async () => {
  const pixels = Buffer.alloc(3 * 8 * 8, 200);
  const flat = tiffFile([
    { entries: { 254: 1, 256: 8, 257: 8, 262: 2, 50706: 0x01040000 }, within: [{ entries: sensor }] },
  ]);
  await expect(readImage(Buffer.concat([flat, pixels]))).rejects.toMatchObject({
    code: 'image_unreadable',
    problem: 'is a RAW file without a preview',
    remedy: 'save it as JPEG first',
  });
  const cr3 = Buffer.concat([Buffer.from('\0\0\0\x18ftypcrx ', 'latin1'), Buffer.alloc(600)]);
  await expect(readImage(cr3)).rejects.toMatchObject({ problem: 'is a RAW file in a form that is not read (CR3)' });
});

test('ordinary TIFF and other files are no RAW files', async () => {
  const tiff = await sharp(large).tiff().toBuffer();
  expect([tiff, large, Buffer.from('II*'), Buffer.alloc(0)].map((bytes) => readRaw(bytes))).toEqual(
    Array(4).fill(undefined),
  );
  expect(await readImage(tiff)).toMatchObject({ width: 640, height: 480 });
});

test('of a multi-picture file the first picture is read', async () => {
  const file = multiPictureFile([large, small]);
  const picture = await readImage(file);
  expect([picture.width, picture.height]).toEqual([640, 480]);
  expect(Buffer.compare(Buffer.from(picture.data), Buffer.from((await readImage(large)).data))).toBe(0);
});

test('of a motion photo, a JPEG with a clip behind it, the still is read', async () => {
  const clip = Buffer.concat([Buffer.from('\0\0\0\x18ftypmp42', 'latin1'), Buffer.alloc(5000, 7)]);
  expect(await readImage(Buffer.concat([large, clip]))).toEqual(await readImage(large));
});
