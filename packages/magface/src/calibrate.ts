/**
 * Fitting the quality scale to a model. The magnitudes of a reference set of ordinary faces give
 *
 *     centre = median,   width = IQR / (2 ln 3)
 *
 * A logistic curve has its quartiles at centre ± width · ln 3, so the score is about the percentile of a face in that set.
 * Poor faces have magnitudes far below it, where that curve is 0. Comparisons of faces of all kinds with ordinary faces
 * of the same person give
 *
 *     P(failure | a) = 1 / (1 + exp((a − half) / spread)),   widthBelow = (centre − half) / ln 9
 *
 * so that a face whose comparisons fail half of the time scores 10.
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
    throw new MagfaceError('calibration_impossible', {
      expected: `at least ${fewestFaces} faces to calibrate on`,
      received: sorted.length,
      remedy: 'add faces to the reference set',
    });
  }
  const wrong = sorted.findIndex((magnitude) => !(magnitude > 0 && magnitude < Number.POSITIVE_INFINITY));
  if (wrong >= 0) {
    throw new MagfaceError('calibration_impossible', {
      expected: 'feature lengths above 0',
      received: sorted[wrong],
      remedy: 'omit faces that could not be embedded',
    });
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
    throw new MagfaceError('calibration_impossible', {
      expected: 'magnitudes that differ between faces',
      problem: `the middle half are all ${p50}`,
      remedy: "use a MagFace model, because this model's magnitude does not measure quality",
    });
  }
  return { centre: p50, width, magnitudes: { p5, p25, p50, p75, p95 } };
}

/** How often faces of a magnitude fail, and the lower side of the scale. */
export interface FailureFit {
  /** Magnitude per logit below the centre, for {@link Calibration.widthBelow}. */
  readonly widthBelow: number;
  /** Magnitude at which half of the comparisons fail. */
  readonly half: number;
  /** Magnitude per logit of the failures. */
  readonly spread: number;
}

/** Fewer of either outcome leave the curve to chance. */
const fewestOutcomes = 50;
const steps = 50;

/**
 * Fits the lower side of the scale by maximum likelihood.
 *
 * @param magnitudes - one per genuine comparison: of the face that is poor or not; the other one is ordinary
 * @param failed - (N) 1 if the similarity is below the threshold
 * @param centre - of the scale
 * @throws {MagfaceError} `calibration_impossible` if too few fail or succeed, or failing does not depend on the magnitude
 */
export function fitFailures(magnitudes: ArrayLike<number>, failed: ArrayLike<number>, centre: number): FailureFit {
  const failures = Array.from(failed).filter((outcome) => outcome === 1).length;
  const fewer = Math.min(failures, failed.length - failures);
  if (fewer < fewestOutcomes) {
    throw new MagfaceError('calibration_impossible', {
      expected: `at least ${fewestOutcomes} comparisons that fail and as many that succeed`,
      received: `${failures} and ${failed.length - failures}`,
      remedy: 'add poor faces',
    });
  }
  // logit P = offset - slope · (a - centre), by Newton's method
  let [offset, slope] = [0, 0];
  for (let step = 0; step < steps; step++) {
    let [g0, g1, h00, h01, h11] = [0, 0, 0, 0, 0];
    for (let i = 0; i < magnitudes.length; i++) {
      const x = centre - magnitudes[i]!;
      const p = 1 / (1 + Math.exp(-offset - slope * x));
      const [rest, weight] = [failed[i]! - p, p * (1 - p)];
      g0 += rest;
      g1 += rest * x;
      h00 += weight;
      h01 += weight * x;
      h11 += weight * x * x;
    }
    const determinant = h00 * h11 - h01 * h01;
    offset += (h11 * g0 - h01 * g1) / determinant;
    slope += (h00 * g1 - h01 * g0) / determinant;
  }
  const half = centre + offset / slope;
  if (!(slope > 0 && half < centre)) {
    throw new MagfaceError('calibration_impossible', {
      expected: 'comparisons of short features to fail more often',
      problem: `half fail at ${half}, and the centre is ${centre}`,
      remedy: "use a MagFace model, because this model's magnitude does not measure quality",
    });
  }
  return { widthBelow: (centre - half) / Math.log(9), half, spread: 1 / slope };
}
