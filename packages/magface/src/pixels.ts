/** Decoded images, in Node and in the browser: 8-bit RGB, top row first, no padding. */
import { ShapeError } from './errors.ts';

/** (height, width, 3) uint8, RGB interleaved: pixel (x, y) starts at `3 * (y * width + x)`. */
export interface Pixels {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/** @returns a black image */
export function blankPixels(width: number, height: number): Pixels {
  return { data: new Uint8Array(width * height * 3), width, height };
}

/** Decoded pixels with one (grey), three (RGB) or four (RGBA) interleaved channels, as from a canvas or a camera. */
export interface RawImage {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  /** @default derived from the length of `data` */
  readonly channels?: 1 | 3 | 4 | undefined;
}

/**
 * Converts a raw image to RGB, with transparency on white.
 *
 * @returns pixels that share memory with `raw` if it is RGB already
 * @throws {ShapeError} if `data` does not have width * height * channels values
 */
export function rgbPixels(raw: RawImage): Pixels {
  const { data, width, height } = raw;
  const count = width * height;
  const isBytes = data instanceof Uint8Array || data instanceof Uint8ClampedArray;
  if (!isBytes)
    throw new ShapeError({
      expected: 'a Uint8Array or Uint8ClampedArray as the data of a raw image',
      problem: 'it has another type',
      remedy: 'convert it',
    });
  const whole = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0;
  const channels = raw.channels ?? data.length / count;
  if (!whole || data.length !== count * channels || ![1, 3, 4].includes(channels)) {
    const expected = `${width} x ${height} x ${raw.channels ?? '1, 3 or 4'}`;
    throw new ShapeError({
      expected: `${expected} values for a raw image`,
      received: data.length,
      remedy: 'check width, height and channels',
    });
  }
  if (channels === 3) return { data, width, height };
  const pixels = blankPixels(width, height);
  for (let from = 0, to = 0; to < pixels.data.length; from += channels, to += 3) {
    const alpha = channels === 4 ? data[from + 3]! : 255;
    for (let channel = 0; channel < 3; channel++) {
      const value = data[channels === 1 ? from : from + channel]!;
      pixels.data[to + channel] = Math.round((value * alpha + 255 * (255 - alpha)) / 255);
    }
  }
  return pixels;
}

/** Of an image, in pixels, upright. */
export interface ImageSize {
  readonly width: number;
  readonly height: number;
}
