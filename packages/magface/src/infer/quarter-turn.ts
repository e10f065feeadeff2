/** Rotates a network's input by quarter turns, and maps faces back. */
import type { Box, DetectedFace, Landmarks, Point } from '../face.ts';
import { blankPixels, type ImageSize, type Pixels } from '../pixels.ts';

/** Degrees clockwise. */
export type QuarterTurn = 0 | 90 | 180 | 270;

/** @returns the image turned clockwise; the same one for 0 */
export function turned(image: Pixels, turn: QuarterTurn): Pixels {
  if (turn === 0) return image;
  const { width, height, data } = image;
  const result = turn === 180 ? blankPixels(width, height) : blankPixels(height, width);
  for (let y = 0; y < result.height; y++) {
    for (let x = 0; x < result.width; x++) {
      const [sourceX, sourceY] = before([x, y], turn, image);
      const [to, from] = [3 * (y * result.width + x), 3 * (sourceY * width + sourceX)];
      result.data[to] = data[from]!;
      result.data[to + 1] = data[from + 1]!;
      result.data[to + 2] = data[from + 2]!;
    }
  }
  return result;
}

/**
 * @param face - found in the turned image
 * @param size - of the image before turning
 * @returns the face in that image; its landmarks keep their names, so that the left eye of an upright face stays the left one
 */
export function turnedBack(face: DetectedFace, turn: QuarterTurn, size: ImageSize): DetectedFace {
  if (turn === 0) return face;
  const landmarks = face.landmarks.map((point) => before(point, turn, size)) as unknown as Landmarks;
  return { ...face, box: boxBefore(face.box, turn, size), landmarks };
}

/** Position of a turned image's pixel in the original; pixel centres are whole numbers. */
function before([x, y]: Point, turn: QuarterTurn, { width, height }: ImageSize): Point {
  switch (turn) {
    case 90:
      return [y, height - 1 - x];
    case 180:
      return [width - 1 - x, height - 1 - y];
    case 270:
      return [width - 1 - y, x];
    default:
      return [x, y];
  }
}

/** Edges lie half a pixel before pixel centres. */
function boxBefore({ x, y, width, height }: Box, turn: QuarterTurn, size: ImageSize): Box {
  const [a, b] = [before([x - 0.5, y - 0.5], turn, size), before([x + width - 0.5, y + height - 0.5], turn, size)];
  const [left, right] = [Math.min(a[0], b[0]) + 0.5, Math.max(a[0], b[0]) + 0.5];
  const [top, bottom] = [Math.min(a[1], b[1]) + 0.5, Math.max(a[1], b[1]) + 0.5];
  return { x: left, y: top, width: right - left, height: bottom - top };
}
