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
  const line = new Float32Array(3 * view.width);
  let kept: DrawnRow[] = []; // enlarging needs each source row twice
  for (let y = 0; y < view.height; y++) {
    const rowsHere: DrawnRow[] = [];
    line.fill(0);
    for (let i = 0; i < rows.counts[y]!; i++) {
      const source = rows.starts[y]! + i;
      const row = kept.find((old) => old.source === source) ?? drawRow(image, source, columns);
      rowsHere.push(row);
      const weight = rows.weights[y * rows.stride + i]!;
      for (let j = 0; j < line.length; j++) line[j]! += weight * row.values[j]!;
    }
    const start = 3 * y * view.width;
    for (let j = 0; j < line.length; j++) drawn.data[start + j] = line[j]! + 0.5;
    kept = rowsHere;
  }
  return drawn;
}

/** What the pixels of a view are made of along one axis: pixel p of sources `starts[p]` to `starts[p] + counts[p]`. */
interface Taps {
  readonly starts: Int32Array;
  readonly counts: Int32Array;
  /** Those of pixel p begin at `stride * p`. */
  readonly weights: Float64Array;
  readonly stride: number;
}

/** One row of the image, drawn to the view's columns. */
interface DrawnRow {
  readonly source: number;
  readonly values: Float32Array;
}

function drawRow({ data, width }: Pixels, source: number, { starts, counts, weights, stride }: Taps): DrawnRow {
  const values = new Float32Array(3 * starts.length);
  for (let x = 0; x < starts.length; x++) {
    let [red, green, blue] = [0, 0, 0];
    let at = 3 * (source * width + starts[x]!);
    for (let i = stride * x, end = i + counts[x]!; i < end; i++, at += 3) {
      const weight = weights[i]!;
      red += weight * data[at]!;
      green += weight * data[at + 1]!;
      blue += weight * data[at + 2]!;
    }
    values[3 * x] = red;
    values[3 * x + 1] = green;
    values[3 * x + 2] = blue;
  }
  return { source, values };
}

/** What falls outside 0..length weighs nothing, so the border fades to black. */
function taps(start: number, scale: number, count: number, length: number): Taps {
  const half = Math.max(1, 1 / scale) / 2; // half the width of what one pixel covers, at least a whole source pixel
  const stride = Math.ceil(2 * half) + 1;
  const [starts, counts] = [new Int32Array(count), new Int32Array(count)];
  const weights = new Float64Array(count * stride);
  for (let p = 0; p < count; p++) {
    const centre = start + (p + 0.5) / scale;
    const from = Math.max(0, Math.floor(centre - half));
    const until = Math.min(length, Math.ceil(centre + half));
    starts[p] = from;
    counts[p] = Math.max(0, until - from);
    for (let i = from; i < until; i++) {
      const covered = Math.min(i + 1, centre + half) - Math.max(i, centre - half);
      weights[p * stride + i - from] = Math.max(0, covered) / (2 * half);
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
