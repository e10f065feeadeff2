/**
 * Fitting the quality scale to a model, from the magnitudes of a reference set of ordinary faces:
 *
 *     centre = median,   width = IQR / (2 ln 3)
 *
 * A logistic curve has its quartiles at centre ± width · ln 3, so the score is about the percentile of a face in that set.
 */
import { MagfaceError } from './errors.ts';
import { quantile } from './quantile.ts';

/** What the reference set says of a model. */
export interface CalibrationFit {
  readonly centre: number;
  readonly width: number;
  /** Quantiles of the magnitudes, interpolated between order statistics. */
  readonly magnitudes: {
    readonly p5: number;
    readonly p25: number;
    readonly p50: number;
    readonly p75: number;
    readonly p95: number;
  };
}

/** Fewer faces than this leave the quartiles to chance: at 100 their standard error is about an eighth of the IQR. */
const fewestFaces = 100;

/**
 * @param magnitudes - one per face, at least 100
 * @throws {MagfaceError} `calibration_impossible` when there are too few, one is no length, or all are the same
 */
export function calibrate(magnitudes: ArrayLike<number>): CalibrationFit {
  const sorted = Float64Array.from(magnitudes).sort();
  if (sorted.length < fewestFaces) {
    throw new MagfaceError(
      'calibration_impossible',
      `Expected at least ${fewestFaces} faces to calibrate on but received ${sorted.length}: add faces to the reference set.`,
    );
  }
  const wrong = sorted.findIndex((magnitude) => !(magnitude > 0 && magnitude < Number.POSITIVE_INFINITY));
  if (wrong >= 0) {
    throw new MagfaceError(
      'calibration_impossible',
      `Expected the lengths of features, above 0, but received ${sorted[wrong]}: leave out faces that could not be embedded.`,
    );
  }
  const [p5, p25, p50, p75, p95] = [0.05, 0.25, 0.5, 0.75, 0.95].map((p) => quantile(sorted, p)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const width = (p75 - p25) / (2 * Math.log(3));
  if (!(width > 0)) {
    throw new MagfaceError(
      'calibration_impossible',
      `Expected magnitudes that differ between faces but the middle half are all ${p50}: this model's magnitude says nothing of quality.`,
    );
  }
  return { centre: p50, width, magnitudes: { p5, p25, p50, p75, p95 } };
}
