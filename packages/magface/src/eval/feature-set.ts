/** The feature sets of all evaluations, and common checks. */
import { ShapeError } from '../errors.ts';
import { magnitudeOf } from '../quality.ts';

/** Features of N images, one row after another. */
export interface FeatureSet {
  /** (N, D) float32, not normalized. */
  readonly values: Float32Array;
  /** D. */
  readonly dimension: number;
  /** One name per row, as in the list; absent if a file has none. */
  readonly names?: readonly string[];
}

/** @returns N, the number of rows. */
export const rowsOf = ({ values, dimension }: FeatureSet): number => values.length / dimension;

/** @returns (D) a view of one row, not a copy. */
export const rowOf = ({ values, dimension }: FeatureSet, row: number): Float32Array =>
  values.subarray(row * dimension, (row + 1) * dimension);

/** @returns the label of a row in messages: its name, else its number from 1. */
export const labelOf = ({ names }: FeatureSet, row: number): string =>
  names?.[row] === undefined ? `feature line ${row + 1}` : `"${names[row]}" (feature line ${row + 1})`;

/**
 * Computes the L2 norm of every row in float64: MagFace's quality.
 *
 * @returns (N) magnitudes
 */
export function magnitudesOf(features: FeatureSet): Float64Array {
  return Float64Array.from({ length: rowsOf(features) }, (_, row) => magnitudeOf(rowOf(features, row)));
}

/**
 * @throws {ShapeError} if rows and names differ in number, or a row is all zeros or not finite, so that it has no
 * direction to compare
 */
export function expectFeatures(features: FeatureSet): void {
  const rows = rowsOf(features);
  if (!Number.isInteger(rows) || rows === 0) {
    throw new ShapeError({
      expected: `features of shape (N, ${features.dimension})`,
      received: `${features.values.length} values`,
      remedy: 'give every row the same length',
    });
  }
  if (features.names !== undefined && features.names.length !== rows) {
    throw new ShapeError({
      expected: 'one name per feature row',
      received: `${features.names.length} names for ${rows} rows`,
      remedy: 'write the names again',
    });
  }
  const magnitudes = magnitudesOf(features);
  const wrong = magnitudes.findIndex((magnitude) => !(magnitude > 0 && magnitude < Number.POSITIVE_INFINITY));
  if (wrong >= 0) {
    const what = magnitudes[wrong] === 0 ? 'only zeros' : 'values that are not finite';
    throw new ShapeError({
      expected: 'features with a direction',
      received: `${what} for ${labelOf(features, wrong)}`,
      remedy: 'embed that image again or leave it out',
    });
  }
}
