/** Moves a face within its crop, as an alignment by other landmarks would. */
import { warp } from '../align.ts';
import { blankPixels, type Pixels } from '../pixels.ts';

/** How far a crop lies beside its place. */
export interface Movement {
  /** Pixels to the right and down. */
  readonly x: number;
  readonly y: number;
  /** Clockwise. */
  readonly degrees: number;
  /** Enlargement; 1 for none. */
  readonly scale: number;
}

/** Pixels repeated beyond each edge before the face is moved, since photos go on there. */
const border = 12;

/** @param face - (S, S, 3) uint8 RGB; moved about its centre */
export function move(face: Pixels, { x, y, degrees, scale }: Movement): Pixels {
  const radians = (degrees * Math.PI) / 180;
  const [cos, sin] = [scale * Math.cos(radians), scale * Math.sin(radians)];
  const middle = (face.width - 1) / 2;
  const from = middle + border;
  const matrix = [
    [cos, -sin, middle - cos * from + sin * from + x],
    [sin, cos, middle - sin * from - cos * from + y],
  ] as const;
  return warp(bordered(face), matrix, face.width);
}

function bordered({ data, width, height }: Pixels): Pixels {
  const wide = blankPixels(width + 2 * border, height + 2 * border);
  const within = (at: number, size: number): number => Math.min(size - 1, Math.max(0, at - border));
  for (let y = 0; y < wide.height; y++)
    for (let x = 0; x < wide.width; x++) {
      const source = 3 * (within(y, height) * width + within(x, width));
      for (let channel = 0; channel < 3; channel++)
        wide.data[3 * (y * wide.width + x) + channel] = data[source + channel]!;
    }
  return wide;
}
