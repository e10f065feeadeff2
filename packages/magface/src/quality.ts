/**
 * Quality on a scale that people understand, from the magnitude a = ‖f‖:
 *
 *     Q = round(100 / (1 + exp((centre − a) / width))), held in 0..100
 *
 * Centre 23 and width 2.6 are those of the official iResNet-50 in OFIQ (ISO/IEC 29794-5); every other model has its
 * own, fitted so that Q is about the percentile among ordinary faces.
 */

/** The two constants of the scale, and where they come from. */
export interface Calibration {
  /** Magnitude that scores 50. */
  readonly centre: number;
  /** Magnitude units per logit, above 0. */
  readonly width: number;
  /** What they were measured on, for people to read. */
  readonly source: string;
}

/** @returns Q, a whole number from 0 to 100. */
export function qualityScore(magnitude: number, { centre, width }: Pick<Calibration, 'centre' | 'width'>): number {
  const score = Math.round(100 / (1 + Math.exp((centre - magnitude) / width)));
  return Math.min(100, Math.max(0, score));
}

/** @returns ‖f‖, the L2 norm, summed in float64. */
export function magnitudeOf(embedding: Float32Array): number {
  let sum = 0;
  for (const value of embedding) sum += value * value;
  return Math.sqrt(sum);
}
