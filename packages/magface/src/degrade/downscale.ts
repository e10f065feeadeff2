/** A face too far away: made small by the mean over areas, then enlarged again as alignment enlarges small faces. */
import { blankPixels, type Pixels } from '../pixels.ts';

/**
 * @param face - (S, S, 3) uint8 RGB
 * @param side - width of the face on the way, in pixels, 1 to S; S changes nothing
 */
export function downscale(face: Pixels, side: number): Pixels {
  if (side >= face.width) return face;
  return enlarged(reduced(face, side), face.width);
}

/** Each small pixel is the mean of the area that it covers, shares of pixels included. */
function reduced(face: Pixels, side: number): Pixels {
  const small = blankPixels(side, side);
  const step = face.width / side;
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const mean = areaMean(face, { left: x * step, top: y * step, size: step });
      small.data.set(mean, 3 * (y * side + x));
    }
  return small;
}

function areaMean(
  { data, width, height }: Pixels,
  { left, top, size }: { readonly left: number; readonly top: number; readonly size: number },
): [number, number, number] {
  const sums: [number, number, number] = [0, 0, 0];
  for (let y = Math.floor(top); y < Math.min(height, top + size); y++) {
    const high = Math.min(y + 1, top + size) - Math.max(y, top);
    for (let x = Math.floor(left); x < Math.min(width, left + size); x++) {
      const share = high * (Math.min(x + 1, left + size) - Math.max(x, left));
      for (let channel = 0; channel < 3; channel++) sums[channel]! += share * data[3 * (y * width + x) + channel]!;
    }
  }
  return sums.map((sum) => Math.round(sum / size ** 2)) as [number, number, number];
}

/** Bilinear between the centres of the small pixels. */
function enlarged({ data, width: side }: Pixels, size: number): Pixels {
  const large = blankPixels(size, size);
  const held = (at: number): number => Math.min(side - 1, Math.max(0, at));
  for (let y = 0; y < size; y++) {
    const v = held(((y + 0.5) * side) / size - 0.5);
    const [top, bottom] = [Math.floor(v), held(Math.floor(v) + 1)];
    for (let x = 0; x < size; x++) {
      const u = held(((x + 0.5) * side) / size - 0.5);
      const [left, right] = [Math.floor(u), held(Math.floor(u) + 1)];
      for (let channel = 0; channel < 3; channel++) {
        const at = (row: number, column: number): number => data[3 * (row * side + column) + channel]!;
        const upper = at(top, left) + (u - left) * (at(top, right) - at(top, left));
        const lower = at(bottom, left) + (u - left) * (at(bottom, right) - at(bottom, left));
        large.data[3 * (y * size + x) + channel] = Math.round(upper + (v - top) * (lower - upper));
      }
    }
  }
  return large;
}
