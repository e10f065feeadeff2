/**
 * A rectangle of an image drawn into a network's input: shrunk by area means, enlarged bilinearly, black where the
 * rectangle reaches over the image's border.
 */
import type { Box, DetectedFace, Landmarks, Point } from '../face.ts';
import { blankPixels, type Pixels } from '../pixels.ts';

/** What part of an image a network looks at, and how large. */
export interface View {
  /** Left and top edge in the image, in pixels; may lie outside. */
  readonly x: number;
  readonly y: number;
  /** Pixels of the input for one pixel of the image. */
  readonly scale: number;
  /** Size of the input in pixels. */
  readonly width: number;
  readonly height: number;
}

/** @returns the view's pixels, of the view's size */
export function drawView(image: Pixels, view: View): Pixels {
  const columns = taps(view.x, view.scale, view.width, image.width);
  const rows = taps(view.y, view.scale, view.height, image.height);
  const drawn = blankPixels(view.width, view.height);
  const { first: left, end: right } = reach(columns, image.width);
  const sums = new Int32Array(3 * (right - left));
  for (let y = 0; y < view.height; y++) {
    if (rows.counts[y] === 0) continue;
    sumRows(sums, image, left, rows, y);
    drawRow(drawn, y, sums, left, columns);
  }
  return drawn;
}

/** Weights are whole numbers, in 2048ths: reading bytes as floating-point numbers takes twice the time. */
const unitBits = 11;

/** What the pixels of a view are made of along one axis: pixel p of sources `starts[p]` to `starts[p] + counts[p]`. */
interface Taps {
  readonly starts: Int32Array;
  readonly counts: Int32Array;
  /** Those of pixel p begin at `stride * p`; they sum to 2048 where the image covers all of it. */
  readonly weights: Int32Array;
  readonly stride: number;
}

/** The sources that a view reads of an axis of `length`, from `first` to before `end`. */
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
 * The weighted sum of the rows that row y of the view covers, from column `left` on. Down comes before across, since these
 * loops run over neighbouring bytes: up to three rows at a time, which spares reading and writing the sums.
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

/** Row y of the view from the sums over rows, which begin at the image's column `left`. */
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

/** What falls outside 0..length weighs nothing, so the border fades to black. */
function taps(start: number, scale: number, count: number, length: number): Taps {
  const half = Math.max(1, 1 / scale) / 2; // half the width of what one pixel covers, at least a whole source pixel
  const stride = Math.ceil(2 * half) + 1;
  const [starts, counts] = [new Int32Array(count), new Int32Array(count)];
  const weights = new Int32Array(count * stride);
  for (let p = 0; p < count; p++) {
    const centre = start + (p + 0.5) / scale;
    const from = Math.max(0, Math.floor(centre - half));
    const until = Math.min(length, Math.ceil(centre + half));
    starts[p] = from;
    counts[p] = Math.max(0, until - from);
    let [share, given] = [0, 0]; // of the pixel: the sum is rounded, so that errors do not add up
    for (let i = from; i < until; i++) {
      share += Math.max(0, Math.min(i + 1, centre + half) - Math.max(i, centre - half)) / (2 * half);
      const rounded = Math.round(share * 2 ** unitBits);
      weights[p * stride + i - from] = rounded - given;
      given = rounded;
    }
  }
  return { starts, counts, weights, stride };
}

/** @returns a face found in a view, in the image's coordinates. */
export function faceInImage(face: DetectedFace, view: View): DetectedFace {
  const { box, landmarks } = face;
  return {
    ...face,
    box: boxInImage(box, view),
    landmarks: landmarks.map((point) => pointInImage(point, view)) as unknown as Landmarks,
  };
}

/** Pixel centres lie on whole numbers on both sides, edges half a pixel before. */
function pointInImage([x, y]: Point, view: View): Point {
  return [view.x + (x + 0.5) / view.scale - 0.5, view.y + (y + 0.5) / view.scale - 0.5];
}

function boxInImage({ x, y, width, height }: Box, view: View): Box {
  const [left, top] = [view.x + x / view.scale, view.y + y / view.scale];
  return { x: left, y: top, width: width / view.scale, height: height / view.scale };
}
