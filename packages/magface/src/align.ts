/**
 * Alignment: the least-squares similarity that takes a face's landmarks to the template, and the warp that follows it.
 *
 *     min over z, t of Σ |z · p_i + t − q_i|²,   points as complex numbers, so z = scale · e^{iθ} is never a reflection
 *
 * With p and q taken from their means, z = Σ conj(p_i) q_i / Σ |p_i|²: Umeyama's solution in two dimensions.
 *
 * @see Umeyama, "Least-squares estimation of transformation parameters between two point patterns", PAMI 1991
 */

import { ShapeError } from './errors.ts';
import type { AffineMatrix, DetectedFace, Landmarks, Point } from './face.ts';
import { blankPixels, type Pixels } from './pixels.ts';

/** Side of the crop that recognisers are trained on, in pixels. */
export const templateSize = 112;

/** Where the landmarks of a 112x112 crop lie: the template of ArcFace and MagFace, image-left eye first. */
export const template: Landmarks = [
  [38.2946, 51.6963],
  [73.5318, 51.5014],
  [56.0252, 71.7366],
  [41.5493, 92.3655],
  [70.7299, 92.2041],
];

/**
 * @param from - N points, at least two of them different
 * @param to - their N targets
 * @throws {ShapeError} when the counts differ or all points of `from` lie on one spot
 */
export function similarityTransform(from: readonly Point[], to: readonly Point[]): AffineMatrix {
  if (from.length !== to.length || from.length < 2) {
    throw new ShapeError(
      `Expected as many targets as points, at least 2, but received ${from.length} and ${to.length}.`,
    );
  }
  const [px, py] = meanPoint(from);
  const [qx, qy] = meanPoint(to);
  let [real, imaginary, spread] = [0, 0, 0];
  for (const [i, [x, y]] of from.entries()) {
    const [u, v] = to[i]!;
    real += (x - px) * (u - qx) + (y - py) * (v - qy);
    imaginary += (x - px) * (v - qy) - (y - py) * (u - qx);
    spread += (x - px) ** 2 + (y - py) ** 2;
  }
  if (!(spread > 0)) {
    throw new ShapeError(`Expected points that differ but all ${from.length} lie at (${px}, ${py}).`);
  }
  const [a, d] = [real / spread, imaginary / spread];
  return [
    [a, -d, qx - a * px + d * py],
    [d, a, qy - d * px - a * py],
  ];
}

/**
 * From image to crop.
 *
 * @param mouth - `corners` fits five points; `centre` fits four, with the mouth's centre on the midpoint of the template's
 *   two corners
 * @param size - side of the crop in pixels; the template is scaled by size / 112
 */
export function alignmentMatrix(
  landmarks: Landmarks,
  mouth: DetectedFace['mouth'] = 'corners',
  size: number = templateSize,
): AffineMatrix {
  const scale = size / templateSize;
  const points = mouth === 'corners' ? [landmarks, template] : [landmarks, template].map(withMouthCentre);
  const target = points[1]!.map(([x, y]): Point => [x * scale, y * scale]);
  return similarityTransform(points[0]!, target);
}

/** @returns where the map takes a point */
export function mapped([[a, b, c], [d, e, f]]: AffineMatrix, [x, y]: Point): Point {
  return [a * x + b * y + c, d * x + e * y + f];
}

/**
 * @returns the map back, from crop to image
 * @throws {ShapeError} when the map squeezes the plane to a line
 */
export function inverseOf([[a, b, c], [d, e, f]]: AffineMatrix): AffineMatrix {
  const determinant = a * e - b * d;
  if (!(Math.abs(determinant) > 0))
    throw new ShapeError('Expected a matrix that can be inverted but its determinant is 0.');
  const [ia, ib, id, ie] = [e / determinant, -b / determinant, -d / determinant, a / determinant];
  return [
    [ia, ib, -ia * c - ib * f],
    [id, ie, -id * c - ie * f],
  ];
}

/** @returns the map to a crop whose pixels count `scale` times as much; (0, 0) stays where it is */
export function scaledMatrix([[a, b, c], [d, e, f]]: AffineMatrix, scale: number): AffineMatrix {
  return [
    [scale * a, scale * b, scale * c],
    [scale * d, scale * e, scale * f],
  ];
}

/** Eyes, nose and mouth's centre of a face whose mouth corners are where the template has them. */
export type FourLandmarks = readonly [leftEye: Point, rightEye: Point, nose: Point, mouth: Point];

/**
 * Five landmarks of a face of which only the mouth's centre is known: the corners lie to both sides of it, as wide and as
 * slanted as the template's mouth under the similarity that fits the four points.
 */
export function withMouthCorners([leftEye, rightEye, nose, mouth]: FourLandmarks): Landmarks {
  const [[a, b], [d, e]] = similarityTransform(withMouthCentre(template), [leftEye, rightEye, nose, mouth]);
  const [left, right] = [template[3], template[4]];
  const [halfX, halfY] = [(right[0] - left[0]) / 2, (right[1] - left[1]) / 2];
  const [x, y] = [a * halfX + b * halfY, d * halfX + e * halfY];
  return [leftEye, rightEye, nose, [mouth[0] - x, mouth[1] - y], [mouth[0] + x, mouth[1] + y]];
}

function withMouthCentre([leftEye, rightEye, nose, leftMouth, rightMouth]: Landmarks): FourLandmarks {
  return [leftEye, rightEye, nose, meanPoint([leftMouth, rightMouth])];
}

function meanPoint(points: readonly Point[]): Point {
  let [x, y] = [0, 0];
  for (const point of points) {
    x += point[0];
    y += point[1];
  }
  return [x / points.length, y / points.length];
}

/** Sub-pixel positions are steps of 1/32, and source positions are summed in 1/1024, as in OpenCV's warpAffine. */
const subPixels = 32;
const fixedPoint = 1024;

/**
 * The square crop that `matrix` maps the image to: bilinear, black outside the image, rounded as OpenCV's warpAffine
 * rounds, so that crops match those that recognisers were trained on.
 *
 * @param matrix - from image to crop
 * @param size - side of the crop in pixels
 */
export function warp(image: Pixels, matrix: AffineMatrix, size: number = templateSize): Pixels {
  const [[a, b, c], [d, e, f]] = inverseOf(matrix);
  const crop = blankPixels(size, size);
  const fixed = (value: number) => Math.round(value * fixedPoint);
  const half = fixedPoint / subPixels / 2;
  const columnX = Int32Array.from({ length: size }, (_, x) => fixed(a * x));
  const columnY = Int32Array.from({ length: size }, (_, x) => fixed(d * x));
  for (let y = 0; y < size; y++) {
    const rowX = fixed(b * y + c) + half;
    const rowY = fixed(e * y + f) + half;
    for (let x = 0; x < size; x++) {
      const sourceX = (rowX + columnX[x]!) >> 5;
      const sourceY = (rowY + columnY[x]!) >> 5;
      blend(image, sourceX, sourceY, crop.data, 3 * (y * size + x));
    }
  }
  return crop;
}

/** Writes the bilinear mean of the four pixels around (x/32, y/32) to `target[at..at+2]`. */
function blend({ data, width, height }: Pixels, x: number, y: number, target: Pixels['data'], at: number): void {
  const [left, top] = [x >> 5, y >> 5];
  if (left < -1 || top < -1 || left >= width || top >= height) return;
  const [right, bottom] = [x & (subPixels - 1), y & (subPixels - 1)];
  const from = 3 * (top * width + left);
  if (left >= 0 && top >= 0 && left + 1 < width && top + 1 < height) {
    const below = from + 3 * width;
    const [u, v] = [subPixels - right, subPixels - bottom];
    for (let channel = 0; channel < 3; channel++) {
      const above = u * data[from + channel]! + right * data[from + 3 + channel]!;
      const under = u * data[below + channel]! + right * data[below + 3 + channel]!;
      target[at + channel] = (v * above + bottom * under + fixedPoint / 2) >> 10;
    }
    return;
  }
  const leftIn = left >= 0;
  const rightIn = left + 1 < width;
  const topIn = top >= 0;
  const bottomIn = top + 1 < height;
  const topLeft = topIn && leftIn ? (subPixels - right) * (subPixels - bottom) : 0;
  const topRight = topIn && rightIn ? right * (subPixels - bottom) : 0;
  const bottomLeft = bottomIn && leftIn ? (subPixels - right) * bottom : 0;
  const bottomRight = bottomIn && rightIn ? right * bottom : 0;
  for (let channel = 0; channel < 3; channel++) {
    // A weight is zero wherever its pixel lies outside, so what stands there does not matter, except undefined.
    const sum =
      topLeft * (data[from + channel] ?? 0) +
      topRight * (data[from + 3 + channel] ?? 0) +
      bottomLeft * (data[from + 3 * width + channel] ?? 0) +
      bottomRight * (data[from + 3 * width + 3 + channel] ?? 0);
    target[at + channel] = (sum + fixedPoint / 2) >> 10;
  }
}
