/**
 * Error rates and quality by group: any column of the pair list (age, sex, skin tone, camera) shows whether one
 * threshold treats all people alike. The threshold is that of all pairs together, as in a deployed system.
 */
import { ShapeError } from '../errors.ts';
import { quantile } from '../quantile.ts';
import type { QualifiedPairs } from './quality-decision.ts';
import { pointAtFar, splitScores } from './roc.ts';

/** One group at the common threshold. */
export interface GroupRates {
  readonly group: string;
  readonly genuine: number;
  readonly impostor: number;
  /** Share of genuine pairs refused; null without genuine pairs. */
  readonly fnmr: number | null;
  /** Share of impostor pairs accepted; null without impostors. */
  readonly fmr: number | null;
  /** Pair quality, interpolated between order statistics. */
  readonly quality: {
    readonly p5: number;
    readonly p25: number;
    readonly p50: number;
    readonly p75: number;
    readonly p95: number;
  };
}

/** All groups of one column. */
export interface GroupReport {
  readonly fmr: number;
  /** Accept when the similarity is this or more. */
  readonly threshold: number;
  /** In descending order of pairs. */
  readonly groups: readonly GroupRates[];
  /** Highest rate over lowest, over groups with rates above 0; 1 means equal treatment, null fewer than two groups. */
  readonly fnmrRatio: number | null;
  readonly fmrRatio: number | null;
}

/**
 * Computes error rates and quality per group at one threshold for all groups.
 *
 * @param column - (P) the group of each pair
 * @returns the rates of each group, and the ratio of the highest rate to the lowest
 * @throws {ShapeError} if the column does not have one value per pair
 */
export function ratesByGroup(pairs: QualifiedPairs, column: readonly string[], fmr = 0.001): GroupReport {
  const { similarities, same } = pairs;
  if (column.length !== same.length)
    throw new ShapeError({
      expected: 'one group per pair',
      received: `${column.length} for ${same.length} pairs`,
      remedy: 'complete the column',
    });
  const { threshold } = pointAtFar(splitScores(similarities, same), fmr);
  const members = new Map<string, number[]>();
  for (const [pair, group] of column.entries()) {
    const known = members.get(group);
    if (known === undefined) members.set(group, [pair]);
    else known.push(pair);
  }
  const groups = [...members].map(([group, of]) => ratesOf(group, of, pairs, threshold));
  groups.sort((a, b) => b.genuine + b.impostor - a.genuine - a.impostor);
  return {
    fmr,
    threshold,
    groups,
    fnmrRatio: spread(groups.map((group) => group.fnmr)),
    fmrRatio: spread(groups.map((group) => group.fmr)),
  };
}

function ratesOf(group: string, members: readonly number[], pairs: QualifiedPairs, threshold: number): GroupRates {
  const { similarities, same, quality } = pairs;
  const genuine = members.filter((pair) => same[pair] === 1);
  const impostor = members.filter((pair) => same[pair] !== 1);
  const share = (of: readonly number[], accepted: boolean): number | null =>
    of.length === 0 ? null : of.filter((pair) => similarities[pair]! >= threshold === accepted).length / of.length;
  const sorted = Float64Array.from(members, (pair) => quality[pair]!).sort();
  const at = (p: number): number => quantile(sorted, p);
  return {
    group,
    genuine: genuine.length,
    impostor: impostor.length,
    fnmr: share(genuine, false),
    fmr: share(impostor, true),
    quality: { p5: at(0.05), p25: at(0.25), p50: at(0.5), p75: at(0.75), p95: at(0.95) },
  };
}

function spread(rates: readonly (number | null)[]): number | null {
  const above = rates.filter((rate) => rate !== null && rate > 0) as number[];
  return above.length < 2 ? null : Math.max(...above) / Math.min(...above);
}
