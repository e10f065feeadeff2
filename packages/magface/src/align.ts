/**
 * Alignment: fits the similarity transform from a face's landmarks to the template by least squares, and warps the
 * face.
 *
 *     min over z, t of Σ |z · p_i + t − q_i|²,   points as complex numbers, so that z = scale · e^{iθ} is no reflection
 *
 * With p and q centred at their means, z = Σ conj(p_i) q_i / Σ |p_i|²: Umeyama's solution in two dimensions.
 *
 * @see Umeyama, "Least-squares estimation of transformation parameters between two point patterns", PAMI 1991
 */
import { ShapeError } from './errors.ts';
import type { AffineMatrix, DetectedFace, Landmarks, Point } from './face.ts';
import { blankPixels, type ImageSize, type Pixels } from './pixels.ts';

/** Width and height of the crops that recognisers are trained on, in pixels. */
export const templateSize = 112;

/** Landmark positions in a 112x112 crop: the template of ArcFace and MagFace, image-left eye first. */
export const template: Landmarks = [
  [38.2946, 51.6963],
  [73.5318, 51.5014],
  [56.0252, 71.7366],
  [41.5493, 92.3655],
  [70.7299, 92.2041],
];

/**
 * @param from - N points, at least two of them different
 * @param to - N targets
 * @throws {ShapeError} if the counts differ or all points of `from` coincide
 */
export function similarityTransform(from: readonly Point[], to: readonly Point[]): AffineMatrix {
  if (from.length !== to.length || from.length < 2) {
    throw new ShapeError({
      expected: 'as many targets as points (at least 2)',
      received: `${from.length} points and ${to.length} targets`,
      remedy: 'pass pairs of corresponding points',
    });
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
    throw new ShapeError({
      expected: 'at least two different points',
      problem: `all ${from.length} are at (${px}, ${py})`,
      remedy: 'check the landmarks',
    });
  }
  const [a, d] = [real / spread, imaginary / spread];
  return [
    [a, -d, qx - a * px + d * py],
    [d, a, qy - d * px - a * py],
  ];
}

/**
 * The transform from image to crop.
 *
 * @param mouth - `corners` fits five points; `centre` fits four, with the mouth's centre at the midpoint of the
 *   template's mouth corners
 * @param size - width and height of the crop in pixels; the template is scaled by size / 112
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

/** Applies a transform to a point. */
export function mapped([[a, b, c], [d, e, f]]: AffineMatrix, [x, y]: Point): Point {
  return [a * x + b * y + c, d * x + e * y + f];
}

/** @returns whether a point is outside an image; pixels reach half a step around their centres */
export const isOutside = ([x, y]: Point, { width, height }: ImageSize): boolean =>
  x < -0.5 || y < -0.5 || x > width - 0.5 || y > height - 0.5;

/**
 * @returns the inverse transform
 * @throws {ShapeError} if the matrix is singular
 */
export function inverseOf([[a, b, c], [d, e, f]]: AffineMatrix): AffineMatrix {
  const determinant = a * e - b * d;
  if (!(Math.abs(determinant) > 0))
    throw new ShapeError({
      expected: 'an invertible matrix',
      problem: 'its determinant is 0',
      remedy: 'use a transform that keeps area',
    });
  const [ia, ib, id, ie] = [e / determinant, -b / determinant, -d / determinant, a / determinant];
  return [
    [ia, ib, -ia * c - ib * f],
    [id, ie, -id * c - ie * f],
  ];
}

/** @returns the transform followed by a scaling; (0, 0) stays in place */
export function scaledMatrix([[a, b, c], [d, e, f]]: AffineMatrix, scale: number): AffineMatrix {
  return [
    [scale * a, scale * b, scale * c],
    [scale * d, scale * e, scale * f],
  ];
}

/** Landmarks of a face whose mouth is given by its centre only. */
export type FourLandmarks = readonly [leftEye: Point, rightEye: Point, nose: Point, mouth: Point];

/**
 * Five landmarks from four: places the mouth corners around the mouth's centre, with the width and slant of the
 * template's mouth under the similarity transform that fits the four points.
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

/** As in OpenCV's warpAffine: sub-pixel steps of 1/32, and source positions summed in units of 1/1024. */
const subPixels = 32;
const fixedPoint = 1024;

/**
 * Warps the image to a square crop: bilinear, black outside the image, with the rounding of OpenCV's warpAffine, so
 * that crops match the ones that recognisers were trained on.
 *
 * @param matrix - from image to crop
 * @param size - width and height of the crop in pixels
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
    // The weight of a pixel outside the image is 0, so any value but undefined will do.
    const sum =
      topLeft * (data[from + channel] ?? 0) +
      topRight * (data[from + 3 + channel] ?? 0) +
      bottomLeft * (data[from + 3 * width + channel] ?? 0) +
      bottomRight * (data[from + 3 * width + 3 + channel] ?? 0);
    target[at + channel] = (sum + fixedPoint / 2) >> 10;
  }
}
