/** Decoded images as both Node and the browser hold them: 8-bit RGB, rows from the top, no padding. */

import { ShapeError } from './errors.ts';

/** (height, width, 3) uint8, RGB interleaved: pixel (x, y) starts at `3 * (y * width + x)`. */
export interface Pixels {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/** @returns black pixels of the given size. */
export function blankPixels(width: number, height: number): Pixels {
  return { data: new Uint8Array(width * height * 3), width, height };
}

/** Decoded pixels of one (grey), three (RGB) or four (RGBA) interleaved channels, as a canvas or a camera gives them. */
export interface RawImage {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  /** @default what the length of `data` tells */
  readonly channels?: 1 | 3 | 4 | undefined;
}

/**
 * RGB of a raw image. What is transparent becomes white, as pages and viewers show it.
 *
 * @returns pixels that share memory with `raw` when it is RGB already
 * @throws {ShapeError} when `data` is not of width * height * channels values
 */
export function rgbPixels(raw: RawImage): Pixels {
  const { data, width, height } = raw;
  const count = width * height;
  const isBytes = data instanceof Uint8Array || data instanceof Uint8ClampedArray;
  if (!isBytes) throw new ShapeError('Expected a Uint8Array or Uint8ClampedArray as the data of a raw image.');
  const whole = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0;
  const channels = raw.channels ?? data.length / count;
  if (!whole || data.length !== count * channels || ![1, 3, 4].includes(channels)) {
    const expected = `${width} x ${height} x ${raw.channels ?? '1, 3 or 4'}`;
    throw new ShapeError(`Expected ${expected} values for a raw image but received ${data.length}.`);
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
