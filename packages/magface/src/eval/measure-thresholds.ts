/** Thresholds of a model at false match rates, as its record holds them. */
import type { Threshold } from '../models/contract.ts';
import { estimateThresholds } from './bootstrap.ts';
import type { FeatureSet } from './feature-set.ts';
import { identitiesOf } from './identities.ts';
import { canMeasure } from './roc.ts';
import { cosineSimilarities, type Pairs } from './verification.ts';

const rates = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6] as const;

/** What pairs say. */
export interface MeasuredThresholds {
  readonly thresholds: readonly Threshold[];
  /** Why a rate is left out: a sentence each. */
  readonly limits: readonly string[];
}

/**
 * Thresholds at false match rates of 1e-2 to 1e-6 with their intervals, for `contract.thresholds`.
 *
 * @param features - embeddings without mirror images, as they are compared
 * @param source - what the pairs are called, for the record: `pairs.txt`
 * @throws {ShapeError} when a pair names a row that is not there, or a feature has no length
 * @throws {MagfaceError} `evaluation_impossible` without both kinds of pairs
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
        ? [`FMR ${power(rate)} is left out: impostor pairs are as alike as one image.`]
        : [
            `FMR ${power(rate)} is left out: it needs ${needed} impostor pairs but there are ${impostors.toLocaleString('en')}.`,
          ];
    }),
  };
}

const power = (rate: number): string => rate.toExponential();
