/**
 * Whatever a browser can show to RGB pixels: upright by its EXIF orientation, sRGB, transparency on white. A photo is
 * drawn in strips, so that its four-byte copy is never whole in memory and no limit of canvas sizes applies.
 */
import { ImageError, ShapeError } from '../errors.ts';
import { blankPixels, type Pixels, rgbPixels } from '../pixels.ts';
import type { SentImage } from './messages.ts';

export interface ReadOptions {
  /** The image as people call it, for errors. */
  readonly name: string;
  /** Most pixels. @default 100e6 */
  readonly pixels?: number | undefined;
}

const defaultPixels = 100e6;
const stripPixels = 1 << 20;
const readable = 'a JPEG, PNG, WebP, AVIF or GIF image';

/** @throws {ImageError} `image_unreadable` or `image_too_large` */
export async function readImage(image: SentImage, options: ReadOptions): Promise<Pixels> {
  if ('data' in image) return readRaw(image, options);
  if (image instanceof Blob) {
    const bitmap = await decode(image, options.name);
    try {
      return drawn(bitmap, bitmap, options);
    } finally {
      bitmap.close();
    }
  }
  try {
    const size = 'displayWidth' in image ? { width: image.displayWidth, height: image.displayHeight } : image;
    return drawn(image, size, options);
  } finally {
    image.close();
  }
}

/** @throws {ImageError} also for BMP, which browsers read but nothing else of this package does */
async function decode(blob: Blob, name: string): Promise<ImageBitmap> {
  if ((await blob.slice(0, 2).text()) === 'BM') {
    const message = `Expected ${readable} but ${name} is a BMP image: save it anew as PNG or JPEG.`;
    throw new ImageError('image_unreadable', name, message);
  }
  try {
    return await createImageBitmap(blob, { imageOrientation: 'from-image' });
  } catch (cause) {
    const what = blob.size === 0 ? 'it is empty' : 'this browser cannot read it';
    const message = `Expected ${readable} but ${name}: ${what}; save it anew as JPEG or PNG.`;
    throw new ImageError('image_unreadable', name, message, { cause });
  }
}

function readRaw(raw: ImageData | Exclude<SentImage, Blob | ImageBitmap | VideoFrame>, options: ReadOptions): Pixels {
  expectPixels(raw, options);
  try {
    return rgbPixels(raw);
  } catch (cause) {
    if (cause instanceof ShapeError) throw new ImageError('image_unreadable', options.name, cause.message, { cause });
    throw cause;
  }
}

interface Size {
  readonly width: number;
  readonly height: number;
}

function drawn(source: ImageBitmap | VideoFrame, size: Size, options: ReadOptions): Pixels {
  expectPixels(size, options);
  const { width, height } = size;
  const pixels = blankPixels(width, height);
  const rows = Math.min(height, Math.max(1, Math.floor(stripPixels / width)));
  const context = new OffscreenCanvas(width, rows).getContext('2d', { willReadFrequently: true, colorSpace: 'srgb' })!;
  for (let top = 0; top < height; top += rows) {
    context.fillStyle = '#fff';
    context.fillRect(0, 0, width, rows);
    context.drawImage(source, 0, -top);
    const strip = context.getImageData(0, 0, width, Math.min(rows, height - top)).data;
    for (let from = 0, to = 3 * top * width; from < strip.length; from += 4, to += 3) {
      pixels.data[to] = strip[from]!;
      pixels.data[to + 1] = strip[from + 1]!;
      pixels.data[to + 2] = strip[from + 2]!;
    }
  }
  return pixels;
}

function expectPixels({ width, height }: Size, { name, pixels = defaultPixels }: ReadOptions): void {
  if (width * height <= pixels) return;
  const message = `Expected at most ${pixels} pixels but ${name} has ${width}x${height}: make it smaller, or raise \`limits.pixels\`.`;
  throw new ImageError('image_too_large', name, message);
}
