/** In-plane rotation: a face that alignment left at an angle. */
import { warp } from '../align.ts';
import type { Pixels } from '../pixels.ts';

/**
 * Rotates the image about its centre. Pixels from outside the image are black, as at the edge of a photo.
 *
 * @param face - (S, S, 3) uint8 RGB
 * @param degrees - clockwise; 0 changes nothing
 */
export function turn(face: Pixels, degrees: number): Pixels {
  if (degrees === 0) return face;
  const radians = (degrees * Math.PI) / 180;
  const [cos, sin, middle] = [Math.cos(radians), Math.sin(radians), (face.width - 1) / 2];
  const matrix = [
    [cos, -sin, middle - cos * middle + sin * middle],
    [sin, cos, middle - sin * middle - cos * middle],
  ] as const;
  return warp(face, matrix, face.width);
}
