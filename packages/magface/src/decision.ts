/** Decides whether two faces match, by one of a model's measured thresholds. */
import { ConfigError } from './errors.ts';
import type { LikelihoodRatio } from './likelihood-ratio.ts';

/** Minimum cosine of a match, and its measured false match rate. */
export interface DecisionThreshold {
  readonly fmr: number;
  readonly threshold: number;
  /** 95 % interval of the threshold, if known. */
  readonly interval?: readonly [low: number, high: number] | undefined;
}

/** A decision on two faces; all null if the model has no thresholds. */
export interface Decision {
  readonly threshold: number | null;
  /** The threshold's measured rate, at most the requested one. */
  readonly fmr: number | null;
  readonly same: boolean | null;
}

/** The comparison of two faces. */
export interface Comparison extends Decision {
  /** Cosine of their embeddings, -1 to 1. */
  readonly similarity: number;
  /** How much that says; null if the model's record has no weights for it. */
  readonly likelihood: LikelihoodRatio | null;
}

/** Strictness of a decision. */
export interface DecisionOptions {
  /** Maximum false match rate, in (0, 1). @default 0.001 */
  readonly fmr?: number | undefined;
}

/**
 * @param similarity - cosine of two embeddings
 * @param thresholds - from the model's record
 * @param fmr - highest acceptable false match rate; between two measured rates the stricter one decides
 * @throws {ConfigError} if the model has no threshold that strict
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

/** Tolerance for rates that were rounded in text or files. */
const rounding = 1e-9;

/**
 * @param thresholds - from the model's record
 * @param fmr - highest acceptable false match rate
 * @returns the threshold measured at that rate or at the next stricter one; undefined if the model has no thresholds
 * @throws {ConfigError} if all measured rates are higher
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
  throw new ConfigError('fmr', {
    expected: `a false match rate of at least ${strictest} (the strictest measured for this model)`,
    received: fmr,
    remedy: `use ${strictest}, or measure the model on more pairs with \`magface calibrate --pairs\``,
  });
}

/** @returns `0.001`, or for another requested rate, `0.001, the next stricter measured rate than the 0.005 asked for` */
export const rateTaken = (fmr: number, asked: number): string =>
  Math.abs(fmr - asked) <= rounding * asked
    ? String(fmr)
    : `${fmr}, the next stricter measured rate than the ${asked} asked for`;

/**
 * A threshold is measured for one comparison. A face that is compared with many people has that many chances of a false
 * match.
 *
 * @param fmr - false match rate of one comparison
 * @param people - number of people that a face is compared with
 * @returns expected number of false matches for a stranger, to three digits
 */
export const expectedFalseHits = (fmr: number, people: number): number => Number((fmr * people).toPrecision(3));
