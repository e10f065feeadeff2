/** Decoded images as both Node and the browser hold them: 8-bit RGB, rows from the top, no padding. */

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
