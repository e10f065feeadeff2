/** Rows of length 1, each with a weight. */
import { ShapeError } from '../../errors.ts';
import { product } from '../../row-products.ts';
import { expectFeatures, type FeatureSet, rowsOf } from '../feature-set.ts';

/** N directions, each with a weight. */
export interface WeightedRows {
  /** (N, D) float32 of length 1. */
  readonly units: Float32Array;
  readonly dimension: number;
  /** (N) above 0, 1 on average. */
  readonly weights: Float64Array;
}

export const countOf = ({ units, dimension }: WeightedRows): number => units.length / dimension;

/**
 * @param weights - (N) above 0, any scale. @default all alike
 * @throws {ShapeError} if a feature is all zeros or a weight is not above 0
 */
export function weightedRows(features: FeatureSet, weights?: ArrayLike<number>): WeightedRows {
  expectFeatures(features);
  const { values, dimension } = features;
  const units = new Float32Array(values.length);
  for (let at = 0; at < values.length; at += dimension) {
    const length = Math.sqrt(product(values, at, values, at, dimension));
    for (let d = at; d < at + dimension; d++) units[d] = values[d]! / length;
  }
  const given = Float64Array.from(weights ?? new Uint8Array(rowsOf(features)).fill(1));
  const total = given.reduce((sum, weight) => sum + weight, 0);
  if (given.length !== rowsOf(features) || given.some((weight) => !(weight > 0)) || !(total < Number.POSITIVE_INFINITY))
    throw new ShapeError({
      expected: `${rowsOf(features)} weights above 0 (one per face)`,
      received: given.length,
      remedy: 'pass a finite weight above 0 for each face',
    });
  return { units, dimension, weights: given.map((weight) => (weight * given.length) / total) };
}

/** @returns the chosen rows as a set of their own */
export function pickRows({ units, dimension, weights }: WeightedRows, rows: readonly number[]): WeightedRows {
  const chosen = new Float32Array(rows.length * dimension);
  rows.forEach((row, i) => {
    chosen.set(units.subarray(row * dimension, (row + 1) * dimension), i * dimension);
  });
  return { units: chosen, dimension, weights: Float64Array.from(rows, (row) => weights[row]!) };
}
