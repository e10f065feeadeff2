/** Small pictures for pages, as data URLs, since a report is one file. */
import { readFile } from 'node:fs/promises';
import sharp, { type Sharp } from 'sharp';
import type { Box } from '../face.ts';
import { fetchBytes } from '../fetch-bytes.ts';
import { isHeic } from '../infer/node/decode-heic.ts';
import { decoding } from '../infer/node/decoding.ts';
import { readImage } from '../infer/node/read-image.ts';
import type { Pixels } from '../pixels.ts';

/** Bytes of a photo; larger ones were not analysed either. */
const largestFile = 256 * 1024 * 1024;

/**
 * @param path - a photo's path or https: address
 * @returns the photo upright, at most `side` pixels wide and high, as a JPEG data address
 * @throws {Error} if it is unreadable: the caller then shows no picture
 */
export async function thumbnail(path: string, side: number): Promise<string> {
  const source = /^https?:/i.test(path) ? await fetchBytes(path, { limit: largestFile }) : path;
  return encodedPicture(source, side);
}

/** @param source - a path, or an encoded image */
export async function encodedPicture(source: string | Uint8Array, side: number): Promise<string> {
  const picture = await opened(source);
  return address(await picture.resize(side, side, { fit: 'inside', withoutEnlargement: true }).jpeg().toBuffer());
}

/** sharp shrinks most formats while it reads them, but cannot read HEIC. */
async function opened(source: string | Uint8Array): Promise<Sharp> {
  const bytes = typeof source === 'string' ? await readFile(source) : source;
  if (!isHeic(bytes)) return sharp(bytes, decoding).flatten({ background: 'white' }).toColourspace('srgb');
  const { data, width, height } = await readImage(bytes);
  return sharp(data, { raw: { width, height, channels: 3 } });
}

/**
 * @param path - a photo's path
 * @param box - of a face, in the upright photo
 * @param side - width and height of the picture
 * @returns the face with some surroundings, as a JPEG data address
 * @throws {Error} if the photo is unreadable
 */
export async function facePicture(path: string, box: Box, side: number): Promise<string> {
  const { data, info } = await (await opened(path)).raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const reach = 0.7 * Math.max(box.width, box.height);
  const middle = [box.x + box.width / 2, box.y + box.height / 2] as const;
  const [left, top] = middle.map((at) => Math.max(0, Math.floor(at - reach))) as [number, number];
  const right = Math.min(width, Math.ceil(middle[0] + reach));
  const bottom = Math.min(height, Math.ceil(middle[1] + reach));
  const cut = sharp(data, { raw: { width, height, channels } })
    .extract({ left, top, width: right - left, height: bottom - top })
    .resize(side, side, { fit: 'cover' });
  return address(await cut.jpeg().toBuffer());
}

/** @param pixels - (height, width, 3) uint8 RGB */
export async function cropPicture({ data, width, height }: Pixels): Promise<string> {
  return address(
    await sharp(data, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: 85 })
      .toBuffer(),
  );
}

/** @param pixels - (height, width, 3) uint8 RGB */
export async function savePng(file: string, { data, width, height }: Pixels): Promise<void> {
  await sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toFile(file);
}

/** @param side - largest width and height of the picture */
export async function shrunkPicture({ data, width, height }: Pixels, side: number): Promise<string> {
  const raw = sharp(data, { raw: { width, height, channels: 3 } });
  return address(await raw.resize(side, side, { fit: 'inside', withoutEnlargement: true }).jpeg().toBuffer());
}

/** @param pixels - (height, width, 3) uint8 RGB */
export async function saveJpeg(file: string, { data, width, height }: Pixels): Promise<void> {
  await sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 92 })
    .toFile(file);
}

const address = (jpeg: Buffer): string => `data:image/jpeg;base64,${jpeg.toString('base64')}`;
