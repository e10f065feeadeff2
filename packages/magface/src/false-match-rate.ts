/**
 * The false match rate of any similarity, from the few that a model's record has.
 *
 * Similarities of different people are about normal with mean 0, so the logarithm of the rate falls about linearly with the
 * square of the similarity. A line joins two measured rates; beyond the strictest it continues with the slope of all. A rate
 * whose interval overlaps that of a looser one was measured on too few pairs to tell the two apart, and is left out.
 */
import type { DecisionThreshold } from './decision.ts';
import { ConfigError } from './errors.ts';

/** How similar different people are by chance. */
export interface ImpostorLaw {
  /** The loosest measured threshold. */
  readonly least: number;
  /** Similarities of different people spread like those of random directions in so many dimensions: standard deviation 1 / √d. */
  readonly dimension: number;
  /** @returns the share of pairs of different people at least that similar; below `least` extrapolated, at most 0.5 */
  readonly rateAt: (similarity: number) => number;
}

/**
 * @param thresholds - from the model's record
 * @throws {ConfigError} if the model has no thresholds
 */
export function impostorLaw(thresholds: readonly DecisionThreshold[]): ImpostorLaw {
  const known = loosestFirst(thresholds);
  const slope = slopeOfAll(known);
  const { fmr, threshold: least } = known[0]!;
  return {
    least,
    dimension: -2 * slope,
    rateAt: (similarity) =>
      similarity >= least
        ? rateBeyond(similarity, known)
        : Math.min(0.5, fmr * Math.exp(slope * (Math.max(0, similarity) ** 2 - least ** 2))),
  };
}

/**
 * @param thresholds - from the model's record
 * @returns the share of pairs of different people at least that similar; below the loosest threshold its rate
 * @throws {ConfigError} if the model has no thresholds
 */
export function falseMatchRateAt(similarity: number, thresholds: readonly DecisionThreshold[]): number {
  return rateBeyond(similarity, loosestFirst(thresholds));
}

function rateBeyond(similarity: number, known: readonly DecisionThreshold[]): number {
  const at = known.findLastIndex(({ threshold }) => threshold <= similarity);
  if (at < 0) return known[0]!.fmr;
  const { fmr, threshold } = known[at]!;
  return fmr * Math.exp(slopeFrom(known, at) * (similarity ** 2 - threshold ** 2));
}

/**
 * The inverse of `falseMatchRateAt`.
 *
 * @param fmr - above 0; a rate looser than all measured ones gets the loosest threshold
 * @returns a cosine, at most 1
 * @throws {ConfigError} if the model has no thresholds
 */
export function similarityAt(fmr: number, thresholds: readonly DecisionThreshold[]): number {
  const known = loosestFirst(thresholds);
  const at = known.findLastIndex((measured) => measured.fmr >= fmr);
  if (at < 0) return known[0]!.threshold;
  const from = known[at]!;
  if (from.fmr === fmr) return from.threshold;
  return Math.min(1, Math.sqrt(from.threshold ** 2 + Math.log(fmr / from.fmr) / slopeFrom(known, at)));
}

/** Positive thresholds that rise as their rates fall. */
function loosestFirst(thresholds: readonly DecisionThreshold[]): DecisionThreshold[] {
  const known: DecisionThreshold[] = [];
  for (const one of thresholds.toSorted((a, b) => b.fmr - a.fmr || a.threshold - b.threshold)) {
    const looser = known.at(-1);
    const { fmr, threshold } = looser ?? { fmr: 1, threshold: 0 };
    const isApart =
      looser?.interval === undefined || one.interval === undefined || one.interval[0] > looser.interval[1];
    if (one.threshold > threshold && one.fmr < fmr && isApart) known.push(one);
  }
  if (known.length > 0) return known;
  throw new ConfigError('thresholds', {
    expected: 'a model with measured thresholds',
    problem: 'it has none',
    remedy: 'measure them with `magface calibrate --pairs`',
  });
}

/** Half of all pairs are more similar than 0: the other point of the line if a single rate is known. */
const atZero: DecisionThreshold = { fmr: 0.5, threshold: 0 };

/** @returns d ln FMR / d similarity² from a measured rate on */
function slopeFrom(known: readonly DecisionThreshold[], at: number): number {
  const next = known[at + 1];
  return next === undefined ? slopeOfAll(known) : slopeBetween(known[at]!, next);
}

const slopeOfAll = (known: readonly DecisionThreshold[]): number =>
  slopeBetween(known.length > 1 ? known[0]! : atZero, known.at(-1)!);

const slopeBetween = (a: DecisionThreshold, b: DecisionThreshold): number =>
  Math.log(b.fmr / a.fmr) / (b.threshold ** 2 - a.threshold ** 2);
