/** Luminance and colour of an aligned face, as ISO/IEC 29794-5 computes them. */
import type { Pixels } from '../../pixels.ts';

/** A rectangle of pixels, ends excluded. */
export interface CropRectangle {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** sRGB's value 0 to 1 as linear light. */
const linear = (value: number): number => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);

const linearOfByte = Float64Array.from({ length: 256 }, (_, byte) => linear(byte / 255));

/** @returns (256) shares of the rectangle's pixels by luminance, ITU-R BT.709 over linear light, 0 to 255 */
export function luminanceHistogram({ data, width }: Pixels, { left, top, right, bottom }: CropRectangle): Float64Array {
  const counts = new Float64Array(256);
  const light = linearOfByte;
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const at = 3 * (y * width + x);
      const luminance = 0.2126 * light[data[at]!]! + 0.7152 * light[data[at + 1]!]! + 0.0722 * light[data[at + 2]!]!;
      counts[Math.floor(luminance * 255 + 0.5)]!++;
    }
  }
  const pixels = (right - left) * (bottom - top);
  return counts.map((count) => count / pixels);
}

/** @returns a* and b* of CIELAB (D50) of the mean colour of the rectangles */
export function meanColour(
  { data, width }: Pixels,
  rectangles: readonly CropRectangle[],
): readonly [a: number, b: number] {
  const sums = [0, 0, 0];
  let pixels = 0;
  for (const { left, top, right, bottom } of rectangles) {
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++, pixels++)
        for (const c of [0, 1, 2]) sums[c]! += data[3 * (y * width + x) + c]!;
    }
  }
  const [r, g, b] = sums.map((sum) => linear(sum / pixels / 255)) as [number, number, number];
  const x = f((0.43605 * r + 0.38508 * g + 0.14309 * b) / 0.964221);
  const y = f(0.22249 * r + 0.71689 * g + 0.06062 * b);
  const z = f((0.01393 * r + 0.0971 * g + 0.71419 * b) / 0.825211);
  return [500 * (x - y), 200 * (y - z)];
}

/** CIELAB's cube root, linear near 0. */
const f = (value: number): number => (value <= 216 / 24389 ? ((24389 / 27) * value + 16) / 116 : Math.cbrt(value));
