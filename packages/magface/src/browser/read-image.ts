/**
 * Decodes any image that the browser can show to RGB pixels: upright by EXIF, sRGB, transparency on white. Photos are
 * drawn in strips, which avoids a whole RGBA copy in memory and the size limits of canvases.
 */
import { ImageError, ShapeError } from '../errors.ts';
import { blankPixels, type Pixels, rgbPixels } from '../pixels.ts';
import type { SentImage } from './messages.ts';

export interface ReadOptions {
  /** Name of the image, for errors. */
  readonly name: string;
  /** Maximum number of pixels. @default 100e6 */
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

/** @throws {ImageError} also for BMP, which browsers can decode but the rest of this package cannot */
async function decode(blob: Blob, name: string): Promise<ImageBitmap> {
  if ((await blob.slice(0, 2).text()) === 'BM') {
    throw new ImageError('image_unreadable', name, {
      expected: readable,
      subject: name,
      problem: 'is a BMP image',
      remedy: 'save it as PNG or JPEG',
    });
  }
  try {
    return await createImageBitmap(blob, { imageOrientation: 'from-image' });
  } catch (cause) {
    const problem = blob.size === 0 ? 'is empty' : 'cannot be read by this browser';
    throw new ImageError(
      'image_unreadable',
      name,
      { expected: readable, subject: name, problem, remedy: 'save it as JPEG or PNG' },
      { cause },
    );
  }
}

function readRaw(raw: ImageData | Exclude<SentImage, Blob | ImageBitmap | VideoFrame>, options: ReadOptions): Pixels {
  expectPixels(raw, options);
  try {
    return rgbPixels(raw);
  } catch (cause) {
    if (cause instanceof ShapeError) throw new ImageError('image_unreadable', options.name, cause, { cause });
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
  throw new ImageError('image_too_large', name, {
    expected: `at most ${pixels} pixels`,
    subject: name,
    problem: `has ${width}x${height}`,
    remedy: 'scale it down, or raise `limits.pixels`',
  });
}
