/** Turn and tilt of a head, roughly, from its five landmarks. */
import type { Landmarks, Point } from './face.ts';

const degrees = (radians: number): number => (radians * 180) / Math.PI;
const middle = (a: Point, b: Point): Point => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];

/**
 * Radians to the side, signed, from the offset of the nose from the midpoint of the eyes, along the line between them. The
 * tip of a nose is about 0.45 eye distances in front of the eyes, so that offset / eye distance = 0.45 · tan(turn). In a
 * full profile the detector guesses the far eye: the turn then is about 60.
 */
export function yawOf([left, right, nose]: Landmarks): number {
  const [x, y] = [right[0] - left[0], right[1] - left[1]];
  const [mx, my] = middle(left, right);
  const offset = ((nose[0] - mx) * x + (nose[1] - my) * y) / (x * x + y * y);
  return Math.atan(offset / 0.45);
}

/** Degrees to either side: {@link yawOf} without its sign. */
export const turnOf = (landmarks: Landmarks): number => degrees(Math.abs(yawOf(landmarks)));

/** Millimetres of an average face: from the eyes down to the nose's tip and the mouth, and their height above the eyes' plane. */
const face = { noseDown: 39, mouthDown: 71, noseOut: 28, mouthOut: 6 } as const;

/**
 * Degrees downwards (below 0: upwards), from the nose's place between eyes and mouth. Tilted by t, the share is
 * (noseDown + noseOut · tan t) / (mouthDown + mouthOut · tan t). Noses differ: 98 % of CFP's frontal faces measure -21 to 16.
 */
export function tiltOf([left, right, nose, leftMouth, rightMouth]: Landmarks): number {
  const eyes = middle(left, right);
  const mouth = middle(leftMouth, rightMouth);
  const [x, y] = [mouth[0] - eyes[0], mouth[1] - eyes[1]];
  const share = ((nose[0] - eyes[0]) * x + (nose[1] - eyes[1]) * y) / (x * x + y * y);
  return degrees(Math.atan((face.mouthDown * share - face.noseDown) / (face.noseOut - face.mouthOut * share)));
}
