/**
 * Quality from 0 to 100, from the magnitude a = ‖f‖:
 *
 *     Q = round(100 / (1 + exp((centre − a) / width)))
 *
 * OFIQ (ISO/IEC 29794-5) uses centre 23 and width 2.6 for the official iResNet-50. Every other model has its own
 * constants, fitted so that Q is about the percentile among ordinary faces.
 */

/** The constants of the quality scale, and their origin. */
export interface Calibration {
  /** Magnitude that scores 50. */
  readonly centre: number;
  /** Magnitude per logit, above 0. */
  readonly width: number;
  /** The data they were fitted to, for people to read. */
  readonly source: string;
}

/** @returns Q, an integer from 0 to 100 */
export function qualityScore(magnitude: number, { centre, width }: Pick<Calibration, 'centre' | 'width'>): number {
  const score = Math.round(100 / (1 + Math.exp((centre - magnitude) / width)));
  return Math.min(100, Math.max(0, score));
}

/** @returns ‖f‖, the L2 norm, summed in float64 */
export function magnitudeOf(embedding: Float32Array): number {
  let sum = 0;
  for (const value of embedding) sum += value * value;
  return Math.sqrt(sum);
}
