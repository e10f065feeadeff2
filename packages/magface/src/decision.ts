/** From a similarity to a decision: at which of a model's measured thresholds, and what it says. */
import { ConfigError } from './errors.ts';

/** Least cosine of a match and the false match rate that it was measured to have. */
export interface DecisionThreshold {
  readonly fmr: number;
  readonly threshold: number;
}

/** What is told of two faces; nulls where the model has no threshold. */
export interface Decision {
  readonly threshold: number | null;
  /** The rate that the threshold was measured at: never above the one asked for. */
  readonly fmr: number | null;
  readonly same: boolean | null;
}

/** Two faces with what is told of them. */
export interface Comparison extends Decision {
  /** Cosine of their embeddings, -1 to 1. */
  readonly similarity: number;
}

/** How strict a decision is. */
export interface DecisionOptions {
  /** The largest false match rate that is acceptable, in (0, 1). @default 0.001 */
  readonly fmr?: number | undefined;
}

/**
 * @param similarity - cosine of two embeddings
 * @param thresholds - those of the model's record
 * @param fmr - the largest false match rate that is acceptable, see {@link thresholdAt}
 * @throws {ConfigError} when the model was measured at no rate as strict as that
 */
export function decide(
  similarity: number,
  thresholds: readonly DecisionThreshold[] | undefined,
  fmr: number,
): Decision {
  const taken = thresholdAt(thresholds, fmr);
  if (taken === undefined) return { threshold: null, fmr: null, same: null };
  return { threshold: taken.threshold, fmr: taken.fmr, same: similarity >= taken.threshold };
}

/** Decimals of a rate may be lost on the way through text and files. */
const rounding = 1e-9;

/**
 * @param thresholds - those of the model's record
 * @param fmr - the largest false match rate that is acceptable
 * @returns the threshold measured at that rate, or else at the next stricter one; undefined when the model has none
 * @throws {ConfigError} when every rate that was measured is looser
 */
export function thresholdAt<Measured extends DecisionThreshold>(
  thresholds: readonly Measured[] | undefined,
  fmr: number,
): Measured | undefined {
  if (thresholds === undefined || thresholds.length === 0) return undefined;
  const loosestFirst = thresholds.toSorted((a, b) => b.fmr - a.fmr);
  const taken = loosestFirst.find((measured) => measured.fmr <= fmr * (1 + rounding));
  if (taken !== undefined) return taken;
  const strictest = loosestFirst.at(-1)!.fmr;
  throw new ConfigError(
    'fmr',
    `Expected a false match rate of ${strictest} or more, the strictest that this model was measured at, but received ${fmr}: ask for ${strictest}, or measure the model on more pairs with \`magface calibrate --pairs\`.`,
  );
}

/** @returns `0.001`, or how it differs from the rate asked for: `0.001, the next stricter than the 0.005 asked for` */
export const rateTaken = (fmr: number, asked: number): string =>
  Math.abs(fmr - asked) <= rounding * asked
    ? String(fmr)
    : `${fmr}, the next stricter measured rate than the ${asked} asked for`;

/**
 * A threshold is measured for one comparison; whoever is compared with many people has as many chances of a false hit.
 *
 * @param fmr - of one comparison
 * @param people - how many a face is compared with
 * @returns false hits to be expected for a face of somebody who is none of them, to three digits
 */
export const expectedFalseHits = (fmr: number, people: number): number => Number((fmr * people).toPrecision(3));
