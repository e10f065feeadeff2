/** Converts float32 to IEEE 754 binary16; `halfToFloat` in format/tensor.ts converts back. */

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** The largest finite half. */
export const largestHalf = 65504;

/** @returns the 16 bits of the nearest half, ties to even; infinity from ±65520 */
export function halfBits(value: number): number {
  float[0] = value;
  const bits = word[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 255) - 127;
  const fraction = bits & 0x7fffff;
  if (exponent === 128) return sign | 0x7c00 | (fraction === 0 ? 0 : 0x200);
  if (exponent > 15) return sign | 0x7c00;
  if (exponent < -25) return sign;
  // Below 2^-14 halves are spaced evenly by 2^-24: the leading one becomes an ordinary bit.
  const [whole, shift] = exponent < -14 ? [fraction | 0x800000, -1 - exponent] : [fraction, 13];
  const kept = whole >>> shift;
  const half = 1 << (shift - 1);
  const rest = whole & (2 * half - 1);
  const up = rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0;
  const base = exponent < -14 ? 0 : (exponent + 15) << 10;
  return sign | (base + kept + up); // a carry out of the fraction is the next exponent, and infinity above the largest
}
