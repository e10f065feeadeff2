/**
 * An image during analysis: the detector's regions, the aligner's looks and the crops share one set of smaller copies, so
 * that only one pass reads all pixels of a photo.
 */

import { inverseOf, mapped, templateSize, warp } from '../align.ts';
import type { AffineMatrix, Box, DetectedFace, Landmarks, Point } from '../face.ts';
import { blankPixels, type Pixels } from '../pixels.ts';

/** Lives during the analysis of one image; its pixels must not change. */
export interface Scene {
  readonly width: number;
  readonly height: number;
  readonly pixels: Pixels;
  /** Draws like {@link drawRegion}, from the copy of half, quarter, ... size that the region's scale allows. */
  draw(region: Region): Pixels;
}

/** @returns the scene itself, or a new one for the image */
export function sceneOf(image: Pixels | Scene): Scene {
  return 'pixels' in image ? image : newScene(image);
}

/** Makes copies on demand. Keeps the first region, which shows the whole image, since it may be needed again. */
function newScene(pixels: Pixels): Scene {
  const { width, height } = pixels;
  const halves = [pixels];
  let first: { readonly region: Region; readonly drawn: Pixels } | undefined;
  const draw = (region: Region): Pixels => {
    if (first !== undefined && isSameRegion(first.region, region)) return first.drawn;
    const level = Math.max(0, Math.floor(-Math.log2(region.scale)));
    while (halves.length <= level) halves.push(halved(halves.at(-1)!));
    const factor = 2 ** level;
    const scaled = { ...region, x: region.x / factor, y: region.y / factor, scale: region.scale * factor };
    const drawn = drawRegion(halves[level]!, scaled);
    first ??= { region, drawn };
    return drawn;
  };
  return { width, height, pixels, draw };
}

const isSameRegion = (a: Region, b: Region): boolean =>
  a.x === b.x && a.y === b.y && a.scale === b.scale && a.width === b.width && a.height === b.height;

/** Half the width and height, rounded up: each pixel is the mean of 2x2, or of fewer at the end of an odd side. */
function halved({ data, width, height }: Pixels): Pixels {
  const half = blankPixels(Math.ceil(width / 2), Math.ceil(height / 2));
  const length = 3 * half.width;
  const last = 3 * (width - 1);
  for (let y = 0; y < half.height; y++) {
    const top = data.subarray(6 * y * width, 3 * (2 * y + 1) * width);
    const bottom = 2 * y + 1 < height ? data.subarray(3 * (2 * y + 1) * width, 6 * (y + 1) * width) : top;
    const row = half.data.subarray(y * length, (y + 1) * length);
    for (let to = 0, left = 0; to < length; to += 3, left += 6) {
      const right = left < last ? left + 3 : left;
      row[to] = (top[left]! + top[right]! + bottom[left]! + bottom[right]! + 2) >> 2;
      row[to + 1] = (top[left + 1]! + top[right + 1]! + bottom[left + 1]! + bottom[right + 1]! + 2) >> 2;
      row[to + 2] = (top[left + 2]! + top[right + 2]! + bottom[left + 2]! + bottom[right + 2]! + 2) >> 2;
    }
  }
  return half;
}

/** The part of an image that a network sees, and its scale. */
export interface Region {
  /** Left and top edge in the image, in pixels; may lie outside. */
  readonly x: number;
  readonly y: number;
  /** Input pixels per image pixel. */
  readonly scale: number;
  /** Size of the input in pixels. */
  readonly width: number;
  readonly height: number;
}

/**
 * Draws a rectangle of an image into a network's input: shrunk by area averaging, enlarged bilinearly, black outside
 * the image.
 *
 * @returns the region's pixels, of the region's size
 */
export function drawRegion(image: Pixels, region: Region): Pixels {
  const columns = taps(region.x, region.scale, region.width, image.width);
  const rows = taps(region.y, region.scale, region.height, image.height);
  const drawn = blankPixels(region.width, region.height);
  const { first: left, end: right } = reach(columns, image.width);
  const sums = new Int32Array(3 * (right - left));
  for (let y = 0; y < region.height; y++) {
    if (rows.counts[y] === 0) continue;
    sumRows(sums, image, left, rows, y);
    drawRow(drawn, y, sums, left, columns);
  }
  return drawn;
}

/** Weights are integers, in 2048ths: converting bytes to floating point takes twice as long. */
const unitBits = 11;

/** Sources of a region's pixels along one axis: pixel p uses `starts[p]` to before `starts[p] + counts[p]`. */
interface Taps {
  readonly starts: Int32Array;
  readonly counts: Int32Array;
  /** Weights of pixel p start at `stride * p`; they sum to 2048 if the image covers it all. */
  readonly weights: Int32Array;
  readonly stride: number;
}

/** The range of sources that a region reads on an axis, from `first` to before `end`. */
function reach({ starts, counts }: Taps, length: number): { readonly first: number; readonly end: number } {
  let first = length;
  let end = 0;
  for (let p = 0; p < starts.length; p++) {
    if (counts[p] === 0) continue;
    if (starts[p]! < first) first = starts[p]!;
    if (starts[p]! + counts[p]! > end) end = starts[p]! + counts[p]!;
  }
  return { first: Math.min(first, end), end };
}

/**
 * The weighted sum of the rows that row y of the region covers, from column `left` on. Rows are summed before columns, since
 * these loops read adjacent bytes: up to three rows at a time, which saves loads and stores of the sums.
 */
function sumRows(sums: Int32Array, { data, width }: Pixels, left: number, rows: Taps, y: number): void {
  const { length } = sums;
  const row = (i: number): Pixels['data'] => {
    const from = 3 * ((rows.starts[y]! + i) * width + left);
    return data.subarray(from, from + length);
  };
  const count = rows.counts[y]!;
  const at = rows.stride * y;
  let i = count % 3;
  if (i === 0) sums.fill(0);
  if (i === 1) {
    const [a, u] = [row(0), rows.weights[at]!];
    for (let j = 0; j < length; j++) sums[j] = Math.imul(u, a[j]!);
  }
  if (i === 2) {
    const [a, b, u, v] = [row(0), row(1), rows.weights[at]!, rows.weights[at + 1]!];
    for (let j = 0; j < length; j++) sums[j] = Math.imul(u, a[j]!) + Math.imul(v, b[j]!);
  }
  for (; i < count; i += 3) {
    const [a, b, c] = [row(i), row(i + 1), row(i + 2)];
    const [u, v, w] = [rows.weights[at + i]!, rows.weights[at + i + 1]!, rows.weights[at + i + 2]!];
    for (let j = 0; j < length; j++)
      sums[j] = sums[j]! + Math.imul(u, a[j]!) + Math.imul(v, b[j]!) + Math.imul(w, c[j]!);
  }
}

/** Computes row y of the region from sums over rows, which start at image column `left`. */
function drawRow({ data, width }: Pixels, y: number, sums: Int32Array, left: number, columns: Taps): void {
  const { starts, counts, weights, stride } = columns;
  const shift = 2 * unitBits; // a sum of 255 · 2048 · 2048 still fits
  const half = 1 << (shift - 1);
  for (let x = 0, to = 3 * y * width; x < width; x++, to += 3) {
    let [red, green, blue] = [half, half, half];
    let at = 3 * (starts[x]! - left);
    for (let i = stride * x, end = i + counts[x]!; i < end; i++, at += 3) {
      const weight = weights[i]!;
      red = (red + Math.imul(weight, sums[at]!)) | 0;
      green = (green + Math.imul(weight, sums[at + 1]!)) | 0;
      blue = (blue + Math.imul(weight, sums[at + 2]!)) | 0;
    }
    data[to] = red >> shift;
    data[to + 1] = green >> shift;
    data[to + 2] = blue >> shift;
  }
}

/** Sources outside 0..length have no weight, so the border fades to black. */
function taps(start: number, scale: number, count: number, length: number): Taps {
  const half = Math.max(1, 1 / scale) / 2; // half the width of a pixel's support, which is at least a source pixel
  const stride = Math.ceil(2 * half) + 1;
  const [starts, counts] = [new Int32Array(count), new Int32Array(count)];
  const weights = new Int32Array(count * stride);
  for (let p = 0; p < count; p++) {
    const centre = start + (p + 0.5) / scale;
    const from = Math.max(0, Math.floor(centre - half));
    const until = Math.min(length, Math.ceil(centre + half));
    starts[p] = from;
    counts[p] = Math.max(0, until - from);
    let [share, given] = [0, 0]; // rounds the running sum, so that errors do not add up
    for (let i = from; i < until; i++) {
      share += Math.max(0, Math.min(i + 1, centre + half) - Math.max(i, centre - half)) / (2 * half);
      const rounded = Math.round(share * 2 ** unitBits);
      weights[p * stride + i - from] = rounded - given;
      given = rounded;
    }
  }
  return { starts, counts, weights, stride };
}

/** @returns a face found in a region, in the image's coordinates. */
export function faceInImage(face: DetectedFace, region: Region): DetectedFace {
  const { box, landmarks } = face;
  return {
    ...face,
    box: boxInImage(box, region),
    landmarks: landmarks.map((point) => pointInImage(point, region)) as unknown as Landmarks,
  };
}

/** Pixel centres are whole numbers in both images, edges half a pixel before. */
function pointInImage([x, y]: Point, region: Region): Point {
  return [region.x + (x + 0.5) / region.scale - 0.5, region.y + (y + 0.5) / region.scale - 0.5];
}

function boxInImage({ x, y, width, height }: Box, region: Region): Box {
  const [left, top] = [region.x + x / region.scale, region.y + y / region.scale];
  return { x: left, y: top, width: width / region.scale, height: height / region.scale };
}

/**
 * Maximum image pixels per crop pixel, as in the faces of LFW, on which recognisers are trained and measured. Up to
 * here bilinear sampling does not alias.
 */
const mostPixels = 1.25;

/**
 * Cuts a face out of its image. A face larger than the crop is first shrunk by area averaging, so that fine detail does
 * not become noise, and a face looks the same in photos of any size.
 *
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
