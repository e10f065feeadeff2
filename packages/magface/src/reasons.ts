/**
 * Reasons for a face's low quality, in plain words. Node and the browser share these rules and limits. They explain a
 * magnitude and never change it.
 */
import { template } from './align.ts';
import type { AffineMatrix, Box, Landmarks, Point, Reason, ReasonCode } from './face.ts';
import type { Pixels } from './pixels.ts';

/** Input of the rules. */
export interface FaceView {
  /** (112, 112, 3) uint8 RGB: the aligned face. */
  readonly crop: Pixels;
  readonly box: Box;
  readonly landmarks: Landmarks;
  /** Maps the image to the crop. */
  readonly alignment: AffineMatrix;
  /** Size of the whole image, in pixels. */
  readonly image: { readonly width: number; readonly height: number };
}

/** A rule: values between `limit` and `worst` are bad. */
interface Rule {
  readonly measure: (face: FaceView) => number;
  /** What is measured, for messages. */
  readonly what: string;
  readonly unit: string;
  readonly limit: number;
  /** The value of the worst possible face, used to sort a face's reasons. */
  readonly worst: number;
}

export const reasonRules: Readonly<Record<ReasonCode, Rule>> = {
  // In an aligned face the eyes are 35 pixels apart. Below 20, most of what the recogniser sees is interpolated.
  face_too_small: { measure: eyeDistance, what: 'eyes', unit: ' pixels apart', limit: 20, worst: 0 },
  // 1 % of LFW's faces are below 40. Blurred by a Gaussian, half of the faces are below 28 (σ 1.5 pixels) or 15 (σ 2
  // pixels).
  blurred: { measure: sharpness, what: 'sharpness', unit: '', limit: 40, worst: 0 },
  // LFW's 13,233 faces, dark skin included, measure 57 to 202, except one in a thousand at each end.
  too_dark: { measure: brightness, what: 'brightness', unit: ' of 255', limit: 40, worst: 0 },
  too_bright: { measure: brightness, what: 'brightness', unit: ' of 255', limit: 215, worst: 255 },
  // Beyond 40° the far eye begins to disappear; 2 % of LFW's faces.
  turned_away: { measure: turn, what: 'about', unit: '° to the side', limit: 40, worst: 90 },
  cut_off: { measure: shareOutside, what: 'share outside the image', unit: ' %', limit: 10, worst: 50 },
};

/** @returns the reasons for a face's low quality, worst first */
export function findReasons(face: FaceView): Reason[] {
  const broken = Object.entries(reasonRules).flatMap(([code, { measure, limit, worst }]) => {
    const value = measure(face);
    const badness = (value - limit) / (worst - limit); // 0 at the limit, 1 at the worst
    return badness > 0 ? [{ reason: { code: code as ReasonCode, value: rounded(value) }, badness }] : [];
  });
  return broken.sort((a, b) => b.badness - a.badness).map(({ reason }) => reason);
}

/** @returns a phrase such as `blurred: sharpness 12, at least 40 is good` */
export function describeReason({ code, value }: Reason): string {
  const { what, unit, limit, worst } = reasonRules[code];
  const bound = worst < limit ? 'at least' : 'at most';
  return `${code.replaceAll('_', ' ')}: ${what} ${value}${unit}, ${bound} ${limit} is good`;
}

const rounded = (value: number): number => Number(value.toFixed(1));

/** Taken from the alignment, because the landmarks of a turned face are too close together. */
function eyeDistance({ alignment: [[a], [d]] }: FaceView): number {
  return (template[1][0] - template[0][0]) / Math.hypot(a, d);
}

/** The part of the crop that is face for everyone: brows to mouth, cheek to cheek. */
const centre = { left: 28, right: 84, top: 36, bottom: 104 } as const;

function brightness({ crop }: FaceView): number {
  let sum = 0;
  for (let y = centre.top; y < centre.bottom; y++)
    for (let x = centre.left; x < centre.right; x++) sum += luma(crop, x, y);
  return sum / ((centre.right - centre.left) * (centre.bottom - centre.top));
}

/** Luma by Rec. 601, 0 to 255. */
function luma({ data, width }: Pixels, x: number, y: number): number {
  const at = 3 * (y * width + x);
  return 0.299 * data[at]! + 0.587 * data[at + 1]! + 0.114 * data[at + 2]!;
}

/**
 * Fine detail relative to contrast: 1000 · Var(∇²Y) / Var(Y) over the face's centre, so that dark photos and flat light
 * do not count as blur. The Laplacian's step is one pixel of the original photo, so that an enlarged small face does
 * not count as blurred.
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
 * Degrees to either side, from the offset of the nose from the midpoint of the eyes, along the line between them. The
 * tip of a nose is about 0.45 eye distances in front of the eyes, so that offset / eye distance = 0.45 · tan(turn).
 */
function turn({ landmarks: [left, right, nose] }: FaceView): number {
  const [x, y] = [right[0] - left[0], right[1] - left[1]];
  const middle: Point = [(left[0] + right[0]) / 2, (left[1] + right[1]) / 2];
  const offset = ((nose[0] - middle[0]) * x + (nose[1] - middle[1]) * y) / (x * x + y * y);
  return (Math.atan(Math.abs(offset) / 0.45) * 180) / Math.PI;
}

/** Share of the box, in per cent. */
function shareOutside({ box, image }: FaceView): number {
  const width = Math.min(box.x + box.width, image.width) - Math.max(box.x, 0);
  const height = Math.min(box.y + box.height, image.height) - Math.max(box.y, 0);
  const inside = Math.max(0, width) * Math.max(0, height);
  return 100 * (1 - inside / (box.width * box.height));
}
