/**
 * Decodes HEIC, the format of iPhones, by libheif-js if it is installed. It is an optional dependency, because its licence
 * (LGPL-3.0) and the patents on HEVC are for users to accept.
 */
import { createRequire } from 'node:module';
import type { RawImage } from '../../pixels.ts';
import { isDisplayP3, srgbFromDisplayP3 } from './display-p3.ts';

/** The part of libheif-js that we use; it has no types. */
interface HeifImage {
  get_width(): number;
  get_height(): number;
  is_primary(): boolean;
  display(into: RgbaImage, done: (image: RgbaImage | null) => void): void;
  free(): void;
}
interface RgbaImage {
  readonly data: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}
interface Libheif {
  readonly HeifDecoder: new () => { decode(bytes: Uint8Array): readonly HeifImage[] };
}

/** Whether the file's type box names HEVC: AVIF files are of the same container, and others read them. */
export function isHeic(bytes: Uint8Array): boolean {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 256));
  if (head.length < 16 || head.toString('latin1', 4, 8) !== 'ftyp') return false;
  const brands = head.toString('latin1', 8, Math.min(head.length, head.readUInt32BE(0)));
  return /hei[cxms]|hev[cxms]/.test(brands) && !brands.includes('avif');
}

/** Whether libheif-js can be loaded. */
export const canReadHeic = (): boolean => openLibheif() !== undefined;

/**
 * @param expectSize - called with the picture's size before its pixels are decoded; throws if it is too large
 * @returns the file's primary picture, upright; Display P3 as sRGB, other colours as they are stored
 * @throws {Error} if the file is damaged
 */
export async function decodeHeic(
  bytes: Uint8Array,
  expectSize: (width: number, height: number) => void,
): Promise<RawImage> {
  const { pictures, complaint } = picturesOf(bytes);
  try {
    const picture = pictures.find((one) => one.is_primary()) ?? pictures[0];
    if (picture === undefined) throw new Error(complaint ?? 'it holds no picture');
    const [width, height] = [picture.get_width(), picture.get_height()];
    expectSize(width, height);
    const data = new Uint8ClampedArray(4 * width * height);
    const shown = await new Promise<RgbaImage | null>((resolve) => picture.display({ data, width, height }, resolve));
    if (shown === null) throw new Error('its picture cannot be decoded');
    if (isDisplayP3(bytes)) srgbFromDisplayP3(shown.data, 4);
    return { data: shown.data, width, height, channels: 4 };
  } finally {
    for (const picture of pictures) picture.free();
  }
}

/** libheif-js reports damage to the console: the text belongs into our error, and stdout belongs to results. */
function picturesOf(bytes: Uint8Array): { pictures: readonly HeifImage[]; complaint: string | undefined } {
  const { HeifDecoder } = openLibheif()!;
  const { log } = console;
  let complaint: string | undefined;
  console.log = (...words: unknown[]) => {
    complaint = words.join(' ').replace(/^Could not parse HEIF file\s*/, '');
  };
  try {
    const pictures = new HeifDecoder().decode(bytes);
    return { pictures, complaint };
  } finally {
    console.log = log;
  }
}

let libheif: Libheif | undefined;

function openLibheif(): Libheif | undefined {
  try {
    libheif ??= createRequire(import.meta.url)('libheif-js/wasm-bundle') as Libheif;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND')) throw error;
  }
  return libheif;
}
