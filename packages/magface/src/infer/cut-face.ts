/**
 * Cuts a face out of its image. A face larger than the crop is first shrunk by area averaging, so that fine detail does
 * not become noise, and a face looks the same in photos of any size.
 */
import { inverseOf, mapped, templateSize, warp } from '../align.ts';
import type { AffineMatrix } from '../face.ts';
import type { Pixels } from '../pixels.ts';
import { type Scene, sceneOf } from './scene.ts';

/**
 * Maximum image pixels per crop pixel, as in the faces of LFW, on which recognisers are trained and measured. Up to
 * here bilinear sampling does not alias.
 */
const mostPixels = 1.25;

/**
 * @param image - pass a scene to cut several faces, or one face several times: they share the shrunk copies
 * @param matrix - from image to crop
 * @param size - side of the crop in pixels
 * @returns (size, size, 3) uint8 RGB, black where the image ends
 */
export function cutFace(image: Pixels | Scene, matrix: AffineMatrix, size: number = templateSize): Pixels {
  const scene = sceneOf(image);
  const [[a, b, c], [d, e, f]] = matrix;
  const scale = mostPixels * Math.hypot(a, d); // from the warped image to the image
  if (scale >= 1) return warp(scene.pixels, matrix, size);
  // The crop's corners in the image, with a pixel of the shrunk image around them.
  const back = inverseOf(matrix);
  const corners = [0, size - 1].flatMap((u) => [0, size - 1].map((v) => mapped(back, [u, v])));
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
  const border = 1 / scale;
  const [left, top] = [Math.floor(Math.min(...xs) - border), Math.floor(Math.min(...ys) - border)];
  const width = Math.ceil((Math.max(...xs) + border - left) * scale) + 1;
  const height = Math.ceil((Math.max(...ys) + border - top) * scale) + 1;
  const shrunk = scene.draw({ x: left, y: top, scale, width, height });
  // From the shrunk image's pixel centres to the image's, then to the crop.
  const [x, y] = [left + 0.5 / scale - 0.5, top + 0.5 / scale - 0.5];
  return warp(
    shrunk,
    [
      [a / scale, b / scale, a * x + b * y + c],
      [d / scale, e / scale, d * x + e * y + f],
    ],
    size,
  );
}
