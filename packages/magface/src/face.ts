/** Types that describe a face. Coordinates are pixels of the upright image: x to the right, y down. */
import type { ImageSize, Pixels } from './pixels.ts';

/** A point. Pixel centres have integer coordinates, as in OpenCV. */
export type Point = readonly [x: number, y: number];

/** Left and top edge and size, in pixels. It may extend beyond the image. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Image-left eye, image-right eye, nose, image-left and image-right corner of the mouth. */
export type Landmarks = readonly [Point, Point, Point, Point, Point];

/** A face that a detector found. */
export interface DetectedFace {
  readonly box: Box;
  readonly landmarks: Landmarks;
  /**
   * `corners`: the detector found both mouth corners. `centre`: it found only the mouth's centre; the corners in
   * `landmarks` are estimated from it, and alignment uses the centre.
   */
  readonly mouth: 'corners' | 'centre';
  /** The detector's confidence, 0 to 1. */
  readonly detection: number;
  /**
   * Clockwise rotation in degrees that the image needed before the face was found, as in photos without their EXIF
   * orientation; absent if it needed none. Box and landmarks refer to the image before this rotation.
   */
  readonly turned?: 90 | 180 | 270;
}

/** A face aligned, embedded and scored. */
export interface AnalyzedFace extends DetectedFace {
  /** Maps the image to the 112x112 crop: (x, y) to (a·x + b·y + c, d·x + e·y + f), as rows [a, b, c] and [d, e, f]. */
  readonly alignment: AffineMatrix;
  /** (112, 112, 3) uint8 RGB: the face warped to the template. */
  readonly crop: Pixels;
  /** Size in pixels of the image that shows the face. */
  readonly image: ImageSize;
  /** (D) float32, not normalized: its length is `magnitude`. */
  readonly embedding: Float32Array;
  /** L2 norm of the embedding: MagFace's quality measure, on the model's own scale. */
  readonly magnitude: number;
  /** 0 to 100 by the model's calibration, not rounded; undefined if the model has none. */
  readonly quality: number | undefined;
  /** Visible defects, worst first; empty if there are none. */
  readonly reasons: readonly Reason[];
  /** What the quality would be without one of these defects; empty if the model has no tables for them. */
  readonly estimates: readonly Estimate[];
}

/** The affine map (x, y) to (a·x + b·y + c, d·x + e·y + f), as rows [a, b, c] and [d, e, f]. */
export type AffineMatrix = readonly [
  readonly [a: number, b: number, c: number],
  readonly [d: number, e: number, f: number],
];

/** One reason with the value that was measured, in the unit of its rule. */
export interface Reason {
  readonly code: ReasonCode;
  readonly value: number;
}

/** An estimate of the quality without one defect, from tables of reference faces. */
export interface Estimate {
  readonly code: VisibleReasonCode;
  /** Degrees to turn, for `turned_away`. */
  readonly by?: number;
  /** About: a whole number, 0 to 100. */
  readonly quality: number;
}

/** What can be visibly wrong with a face. */
export const visibleReasons = [
  'face_too_small',
  'blurred',
  'noisy',
  'too_dark',
  'too_bright',
  'low_contrast',
  'turned_away',
  'tilted',
  'cut_off',
  'eyes_covered',
  'mouth_covered',
  'brow_covered',
] as const;
export type VisibleReasonCode = (typeof visibleReasons)[number];

/** The last one is given to a poor face in which nothing visible is wrong; its value is the quality. */
export type ReasonCode = VisibleReasonCode | 'not_distinctive';
