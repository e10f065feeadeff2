/**
 * Plain reasons why a face is of low quality. The rules and limits stand here alone; Node and browser share them.
 * They explain a magnitude to people and never change it.
 */

import { template } from './align.ts';
import type { AffineMatrix, Box, Landmarks, Point, Reason, ReasonCode } from './face.ts';
import type { Pixels } from './pixels.ts';

/** What the rules look at. */
export interface FaceView {
  /** (112, 112, 3) uint8 RGB: the aligned face. */
  readonly crop: Pixels;
  readonly box: Box;
  readonly landmarks: Landmarks;
  /** From the image to the crop. */
  readonly alignment: AffineMatrix;
  /** Size of the image that the face was found in, in pixels. */
  readonly image: { readonly width: number; readonly height: number };
}

/** One rule: values from `limit` on, away from `worst`, are good. */
interface Rule {
  readonly measure: (face: FaceView) => number;
  /** What is measured and in which unit, for people. */
  readonly what: string;
  readonly unit: string;
  readonly limit: number;
  /** The value of a face that could not be worse: puts the reasons of a face in order. */
  readonly worst: number;
}

export const reasonRules: Readonly<Record<ReasonCode, Rule>> = {
  // Aligned faces have their eyes 35 pixels apart: below 20 most of what a recogniser sees is interpolated.
  face_too_small: { measure: eyeDistance, what: 'eyes', unit: ' pixels apart', limit: 20, worst: 0 },
  // 1 % of LFW's faces lie below; half of them blurred by a Gaussian of 1.5 pixels stay under 28, of 2 pixels under 15.
  blurred: { measure: sharpness, what: 'sharpness', unit: '', limit: 40, worst: 0 },
  // LFW's 13,233 faces, dark skin included, have 57 to 202 but for one in a thousand at each end.
  too_dark: { measure: brightness, what: 'brightness', unit: ' of 255', limit: 40, worst: 0 },
  too_bright: { measure: brightness, what: 'brightness', unit: ' of 255', limit: 215, worst: 255 },
  // Beyond, the far eye begins to hide; 2 % of LFW's faces.
  turned_away: { measure: turn, what: 'about', unit: '° to the side', limit: 40, worst: 90 },
  cut_off: { measure: shareOutside, what: 'share outside the image', unit: ' %', limit: 10, worst: 50 },
};

/** @returns the rules that the face breaks, worst first */
export function findReasons(face: FaceView): Reason[] {
  const broken = Object.entries(reasonRules).flatMap(([code, { measure, limit, worst }]) => {
    const value = measure(face);
    const badness = (value - limit) / (worst - limit); // 0 at the limit, 1 at the worst
    return badness > 0 ? [{ reason: { code: code as ReasonCode, value: rounded(value) }, badness }] : [];
  });
  return broken.sort((a, b) => b.badness - a.badness).map(({ reason }) => reason);
}

/** @returns one plain phrase: `blurred: sharpness 12, at least 40 is good` */
export function describeReason({ code, value }: Reason): string {
  const { what, unit, limit, worst } = reasonRules[code];
  const bound = worst < limit ? 'at least' : 'at most';
  return `${code.replaceAll('_', ' ')}: ${what} ${value}${unit}, ${bound} ${limit} is good`;
}

const rounded = (value: number): number => Number(value.toFixed(1));

/** By the alignment, since the landmarks of a turned face lie too close together. */
function eyeDistance({ alignment: [[a], [d]] }: FaceView): number {
  return (template[1][0] - template[0][0]) / Math.hypot(a, d);
}

/** The part of the crop that is face on everybody: brows to mouth, cheek to cheek. */
const centre = { left: 28, right: 84, top: 36, bottom: 104 } as const;

function brightness({ crop }: FaceView): number {
  let sum = 0;
  for (let y = centre.top; y < centre.bottom; y++)
    for (let x = centre.left; x < centre.right; x++) sum += luma(crop, x, y);
  return sum / ((centre.right - centre.left) * (centre.bottom - centre.top));
}

/** Rec. 601, 0 to 255. */
function luma({ data, width }: Pixels, x: number, y: number): number {
  const at = 3 * (y * width + x);
  return 0.299 * data[at]! + 0.587 * data[at + 1]! + 0.114 * data[at + 2]!;
}

/**
 * Fine detail for the contrast at hand: 1000 · Var(∇²Y) / Var(Y) over the face's centre, so that neither a dark photo nor
 * a flat light counts as blur. The Laplacian's step is one pixel of the photo: a small face that was enlarged is small,
 * not blurred.
 */
function sharpness(face: FaceView): number {
  const { crop } = face;
  const enlarged = (template[1][0] - template[0][0]) / Math.max(1, eyeDistance(face));
  const step = Math.min(8, Math.max(1, Math.round(enlarged)));
  const values: number[] = [];
  const laplacians: number[] = [];
  for (let y = centre.top; y < centre.bottom; y++) {
    for (let x = centre.left; x < centre.right; x++) {
      const value = luma(crop, x, y);
      const around =
        luma(crop, x - step, y) + luma(crop, x + step, y) + luma(crop, x, y - step) + luma(crop, x, y + step);
      values.push(value);
      laplacians.push(around - 4 * value);
    }
  }
  return (1000 * variance(laplacians)) / Math.max(1, variance(values));
}

function variance(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
}

/**
 * Degrees to either side, from how far the nose stands off the middle of the eyes, along their line. The tip of a nose
 * lies about 0.45 eye distances before the eyes, so that offset / eye distance = 0.45 · tan(turn).
 */
function turn({ landmarks: [left, right, nose] }: FaceView): number {
  const [x, y] = [right[0] - left[0], right[1] - left[1]];
  const middle: Point = [(left[0] + right[0]) / 2, (left[1] + right[1]) / 2];
  const offset = ((nose[0] - middle[0]) * x + (nose[1] - middle[1]) * y) / (x * x + y * y);
  return (Math.atan(Math.abs(offset) / 0.45) * 180) / Math.PI;
}

/** Per cent of the box. */
function shareOutside({ box, image }: FaceView): number {
  const width = Math.min(box.x + box.width, image.width) - Math.max(box.x, 0);
  const height = Math.min(box.y + box.height, image.height) - Math.max(box.y, 0);
  const inside = Math.max(0, width) * Math.max(0, height);
  return 100 * (1 - inside / (box.width * box.height));
}
