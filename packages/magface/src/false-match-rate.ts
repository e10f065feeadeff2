/**
 * The false match rate of any similarity, from the few that a model's record has.
 *
 * Similarities of different people are about normal with mean 0, so the logarithm of the rate falls about linearly with the
 * square of the similarity. A line joins two measured rates; beyond the strictest it continues with the slope of all.
 */
import type { DecisionThreshold } from './decision.ts';
import { ConfigError } from './errors.ts';

/**
 * @param thresholds - from the model's record
 * @returns the share of pairs of different people at least that similar; below the loosest threshold its rate
 * @throws {ConfigError} if the model has no thresholds
 */
export function falseMatchRateAt(similarity: number, thresholds: readonly DecisionThreshold[]): number {
  const known = loosestFirst(thresholds);
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
    const { fmr, threshold } = known.at(-1) ?? { fmr: 1, threshold: 0 };
    if (one.threshold > threshold && one.fmr < fmr) known.push(one);
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
  const [a, b] = next !== undefined ? [known[at]!, next] : [known.length > 1 ? known[0]! : atZero, known[at]!];
  return Math.log(b.fmr / a.fmr) / (b.threshold ** 2 - a.threshold ** 2);
}
