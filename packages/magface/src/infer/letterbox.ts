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
  const cache = new Map<number, Float32Array>(); // enlarging needs each source row twice
  for (const [y, row] of rows.entries()) {
    if (row.weights.length === 0) continue;
    line.fill(0);
    for (const [i, weight] of row.weights.entries()) {
      const source = row.from + i;
      const drawnRow = cache.get(source) ?? drawRow(image, source, columns);
      if (view.scale >= 1) cache.set(source, drawnRow);
      for (let j = 0; j < line.length; j++) line[j]! += weight * drawnRow[j]!;
    }
    const start = 3 * y * view.width;
    for (let j = 0; j < line.length; j++) drawn.data[start + j] = line[j]! + 0.5;
    for (const old of cache.keys()) if (old < row.from) cache.delete(old);
  }
  return drawn;
}

/** Source pixels that one pixel of the view is made of: `weights[i]` for source `from + i`. */
interface Taps {
  readonly from: number;
  readonly weights: readonly number[];
}

function drawRow({ data, width }: Pixels, y: number, columns: readonly Taps[]): Float32Array {
  const row = new Float32Array(3 * columns.length);
  for (let x = 0; x < columns.length; x++) {
    const { from, weights } = columns[x]!;
    let [red, green, blue] = [0, 0, 0];
    let at = 3 * (y * width + from);
    for (let i = 0; i < weights.length; i++, at += 3) {
      const weight = weights[i]!;
      red += weight * data[at]!;
      green += weight * data[at + 1]!;
      blue += weight * data[at + 2]!;
    }
    row[3 * x] = red;
    row[3 * x + 1] = green;
    row[3 * x + 2] = blue;
  }
  return row;
}

/** Along one axis; what falls outside 0..length weighs nothing, so the border fades to black. */
function taps(start: number, scale: number, count: number, length: number): Taps[] {
  const half = Math.max(1, 1 / scale) / 2; // half the width of what one pixel covers, at least a whole source pixel
  return Array.from({ length: count }, (_, index) => {
    const centre = start + (index + 0.5) / scale;
    const from = Math.max(0, Math.floor(centre - half));
    const until = Math.min(length, Math.ceil(centre + half));
    const weights: number[] = [];
    for (let i = from; i < until; i++) {
      const covered = Math.min(i + 1, centre + half) - Math.max(i, centre - half);
      weights.push(Math.max(0, covered) / (2 * half));
    }
    return { from, weights };
  });
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
