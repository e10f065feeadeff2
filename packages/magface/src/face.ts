/** What the package says about one face. Coordinates are pixels of the upright image: x to the right, y down. */

import type { Pixels } from './pixels.ts';

/** Pixel centres lie on whole numbers, as in OpenCV. */
export type Point = readonly [x: number, y: number];

/** Left and top edge with size, in pixels; may reach over the image's border. */
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
   * `corners`: the detector saw both corners of the mouth. `centre`: it saw the mouth's centre only, and the two
   * corners in `landmarks` are placed around it; alignment then uses the centre alone.
   */
  readonly mouth: 'corners' | 'centre';
  /** The detector's confidence, 0 to 1. */
  readonly detection: number;
  /**
   * Degrees clockwise by which the image had to be turned before the face was found, as photos need that lost their EXIF
   * orientation; absent for an image that was used as it is. Box and landmarks are those of the image as it is.
   */
  readonly turned?: 90 | 180 | 270;
}

/** A face aligned, embedded and scored. */
export interface AnalyzedFace extends DetectedFace {
  /** From the image to the 112x112 crop: (x, y) to (a·x + b·y + c, d·x + e·y + f), as rows [a, b, c] and [d, e, f]. */
  readonly alignment: AffineMatrix;
  /** (112, 112, 3) uint8 RGB: the face warped to the template. */
  readonly crop: Pixels;
  /** (D) float32, not normalized: its length is `magnitude`. */
  readonly embedding: Float32Array;
  /** L2 norm of the embedding: MagFace's measure of quality, in the model's own range. */
  readonly magnitude: number;
  /** 0 to 100 by the model's calibration; undefined when the model has none. */
  readonly quality: number | undefined;
  /** What is visibly wrong with the face, worst first; empty when nothing is. */
  readonly reasons: readonly Reason[];
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

/** What can be wrong with a face. */
export type ReasonCode = 'face_too_small' | 'blurred' | 'too_dark' | 'too_bright' | 'turned_away' | 'cut_off';
