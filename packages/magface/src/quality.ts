/**
 * Quality from 0 to 100, from the magnitude a = ‖f‖:
 *
 *     Q = 100 / (1 + exp((centre − a) / w)),   w = width if a ≥ centre, else widthBelow
 *
 * 50 is the ordinary face. Above it, Q is about the percentile among ordinary faces. Below it, `widthBelow` gives room
 * to poor faces, which differ more than ordinary ones do (see `calibrate.ts`). Without it, both sides have one width, as
 * OFIQ (ISO/IEC 29794-5) has for the official iResNet-50: centre 23, width 2.6, and Q rounded.
 *
 * Q is not rounded here, so that filters and sorting see what the magnitude sees. Tables show whole numbers.
 */

import type { VisibleReasonCode } from './face.ts';

/** The constants of the quality scale, and their origin. */
export interface Calibration {
  /** Magnitude that scores 50. */
  readonly centre: number;
  /** Magnitude per logit, above 0. */
  readonly width: number;
  /** Magnitude per logit below the centre. @default `width` */
  readonly widthBelow?: number | undefined;
  /** Tables for estimates, measured with the same weights. */
  readonly remedies?: Remedies | undefined;
  /** The data they were fitted to, for people to read. */
  readonly source: string;
}

/** A row of a defect's table: reference faces whose value lies between two bounds. */
export interface RemedyRow {
  /** The value, in the unit of the reason's rule, from the neighbouring row's on: rows go from slight to bad. */
  readonly from: number;
  /** Mean magnitude of the faces with the defect. */
  readonly with: number;
  /** Mean magnitude of the same faces, or of the same people, without it. */
  readonly without: number;
  /** Slope of the magnitude without over that with the defect. */
  readonly kept: number;
}

/** Tables by defect. */
export type Remedies = Readonly<Partial<Record<VisibleReasonCode, readonly RemedyRow[]>>>;

/** @returns Q, from 0 to 100, not rounded */
export function qualityScore(
  magnitude: number,
  { centre, width, widthBelow = width }: Omit<Calibration, 'source' | 'remedies'>,
): number {
  return 100 / (1 + Math.exp((centre - magnitude) / (magnitude < centre ? widthBelow : width)));
}

/** @returns the magnitude that scores `quality`, which is above 0 and below 100 */
export function magnitudeAt(
  quality: number,
  { centre, width, widthBelow = width }: Omit<Calibration, 'source' | 'remedies'>,
): number {
  return centre + (quality < 50 ? widthBelow : width) * Math.log(quality / (100 - quality));
}

/** @returns the quality as JSON and CSV give it: one decimal */
export function printedQuality(quality: number | null | undefined): number | null {
  return quality == null ? null : Math.round(10 * quality) / 10;
}

/** @returns ‖f‖, the L2 norm, summed in float64 */
export function magnitudeOf(embedding: Float32Array): number {
  let sum = 0;
  for (const value of embedding) sum += value * value;
  return Math.sqrt(sum);
}
