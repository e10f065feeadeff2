/** Grey images by a formula, and their values. */
import type { Pixels } from '../../src/pixels.ts';

/** @param value - of each pixel, for all three channels */
export const grey = (width: number, height: number, value: (x: number, y: number) => number): Pixels => ({
  data: Uint8Array.from({ length: 3 * width * height }, (_, i) =>
    value(Math.floor(i / 3) % width, Math.floor(i / 3 / width)),
  ),
  width,
  height,
});

/** One value per pixel. */
export const values = ({ data }: Pixels): number[] => [...data].filter((_, i) => i % 3 === 0);
