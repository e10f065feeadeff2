/** Measures the thresholds of a model for its contract. */
import type { Threshold } from '../models/contract.ts';
import { estimateThresholds } from './bootstrap.ts';
import type { FeatureSet } from './feature-set.ts';
import { identitiesOf } from './identities.ts';
import { canMeasure } from './roc.ts';
import { cosineSimilarities, type Pairs } from './verification.ts';

const rates = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6] as const;

/** Measured thresholds. */
export interface MeasuredThresholds {
  readonly thresholds: readonly Threshold[];
  /** One sentence for each omitted rate. */
  readonly limits: readonly string[];
}

/**
 * Measures thresholds with intervals at false match rates from 1e-2 to 1e-6, for `contract.thresholds`.
 *
 * @param features - embeddings without flip, as `compare` uses them
 * @param source - name of the pairs, for the contract: `pairs.txt`
 * @throws {ShapeError} if a pair refers to a missing row, or a feature is all zeros
 * @throws {MagfaceError} `evaluation_impossible` without genuine or impostor pairs
 */
export function measureThresholds(features: FeatureSet, pairs: Pairs, source: string): MeasuredThresholds {
  const similarities = cosineSimilarities(features, pairs);
  const impostors = pairs.same.filter((label) => label === 0).length;
  const set = `${impostors.toLocaleString('en')} impostor pairs of ${source}`;
  const estimates = estimateThresholds(similarities, pairs.same, identitiesOf(pairs, features.names), { far: rates });
  const usable = estimates.filter(({ threshold }) => threshold <= 1);
  return {
    thresholds: usable.map(({ far: fmr, threshold, thresholdInterval }) => ({
      fmr,
      threshold,
      set,
      interval: thresholdInterval,
    })),
    limits: rates.flatMap((rate) => {
      if (usable.some(({ far }) => far === rate)) return [];
      const needed = Math.ceil(1 / rate - 1e-6).toLocaleString('en');
      return canMeasure(rate, impostors)
        ? [`FMR ${power(rate)} is omitted: some impostor pairs are as similar as a pair of identical images.`]
        : [
            `FMR ${power(rate)} is omitted: it needs ${needed} impostor pairs but there are only ${impostors.toLocaleString('en')}.`,
          ];
    }),
  };
}

const power = (rate: number): string => rate.toExponential();
