/** What quality means: as a probability, and in every group. */
import type { Calibration } from '../quality.ts';
import type { PairIdentities } from './identities.ts';
import type { QualifiedPairs } from './quality-decision.ts';
import { type QualityFairness, qualityFairness } from './quality-fairness.ts';
import { type QualityReliability, qualityReliability } from './reliability.ts';

/** JSON of the flag `--reliability`. */
export interface QualityMeaning {
  readonly reliability: QualityReliability;
  /** By group column of the list; absent without one. */
  readonly fairness?: Readonly<Record<string, QualityFairness>>;
}

export interface MeaningOptions {
  readonly fmr: number;
  readonly bins: number;
  readonly scale?: Pick<Calibration, 'centre' | 'width'> | undefined;
}

/** @throws {MagfaceError} `evaluation_impossible` if the pairs are too few */
export function measureMeaning(
  pairs: QualifiedPairs & { readonly columns: Readonly<Record<string, readonly string[]>> },
  people: PairIdentities,
  { fmr, bins, scale }: MeaningOptions,
): QualityMeaning {
  const reliability = qualityReliability(pairs, people, { fmr, bins, scale });
  const columns = Object.entries(pairs.columns);
  if (columns.length === 0) return { reliability };
  const fairness = columns.map(
    ([name, column]) => [name, qualityFairness(pairs, people, { column, fmr, bins })] as const,
  );
  return { reliability, fairness: Object.fromEntries(fairness) };
}
