/** A face too far away: downscaled by area averaging, then enlarged again, as alignment enlarges small faces. */
import { blankPixels, type Pixels } from '../pixels.ts';

/**
 * @param face - (S, S, 3) uint8 RGB
 * @param side - intermediate width of the face in pixels, 1 to S; S changes nothing
 */
export function downscale(face: Pixels, side: number): Pixels {
  if (side >= face.width) return face;
  return enlarged(reduced(face, side), face.width);
}

/** Each small pixel is the mean of the area that it covers, including fractions of pixels. */
function reduced({ data, width, height }: Pixels, side: number): Pixels {
  const small = blankPixels(side, side);
  const step = width / side;
  const [rows, columns] = [cover(height, side, step), cover(width, side, step)];
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      let [red, green, blue] = [0, 0, 0];
      for (const { at: row, share: high } of rows[y]!)
        for (const { at: column, share: wide } of columns[x]!) {
          const [share, from] = [high * wide, 3 * (row * width + column)];
          red += share * data[from]!;
          green += share * data[from + 1]!;
          blue += share * data[from + 2]!;
        }
      small.data.set(
        [red, green, blue].map((sum) => Math.round(sum / step ** 2)),
        3 * (y * side + x),
      );
    }
  return small;
}

/** For each of `side` steps along an edge: the pixels that it covers, and the share of each. */
function cover(size: number, side: number, step: number): { readonly at: number; readonly share: number }[][] {
  return Array.from({ length: side }, (_, i) => {
    const [start, end] = [i * step, i * step + step];
    const first = Math.floor(start);
    const count = Math.ceil(Math.min(size, end)) - first;
    return Array.from({ length: count }, (__, k) => {
      const at = first + k;
      return { at, share: Math.min(at + 1, end) - Math.max(at, start) };
    });
  });
}

/** Bilinear interpolation between the centres of the small pixels. */
function enlarged({ data, width: side }: Pixels, size: number): Pixels {
  const large = blankPixels(size, size);
  const places = Array.from({ length: size }, (_, i) => {
    const clamp = (at: number): number => Math.min(side - 1, Math.max(0, at));
    const at = clamp(((i + 0.5) * side) / size - 0.5);
    return { near: Math.floor(at), far: clamp(Math.floor(at) + 1), share: at - Math.floor(at) };
  });
  for (let y = 0; y < size; y++) {
    const { near: top, far: bottom, share: v } = places[y]!;
    for (let x = 0; x < size; x++) {
      const { near: left, far: right, share: u } = places[x]!;
      for (let channel = 0; channel < 3; channel++) {
        const topLeft = data[3 * (top * side + left) + channel]!;
        const bottomLeft = data[3 * (bottom * side + left) + channel]!;
        const upper = topLeft + u * (data[3 * (top * side + right) + channel]! - topLeft);
        const lower = bottomLeft + u * (data[3 * (bottom * side + right) + channel]! - bottomLeft);
        large.data[3 * (y * size + x) + channel] = Math.round(upper + v * (lower - upper));
      }
    }
  }
  return large;
}
