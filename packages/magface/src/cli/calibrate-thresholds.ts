/** Thresholds of a model at false match rates, for its metadata: from pairs of the reference faces. */
import { estimateThresholds } from '../eval/bootstrap.ts';
import type { FeatureSet } from '../eval/feature-set.ts';
import { identitiesOf } from '../eval/identities.ts';
import { readPairList } from '../eval/pair-list.ts';
import { resolvePairs } from '../eval/pairs.ts';
import { canMeasure } from '../eval/roc.ts';
import { cosineSimilarities } from '../eval/verification.ts';
import type { Threshold } from '../models/contract.ts';

const rates = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6] as const;

/** What pairs say. */
export interface MeasuredThresholds {
  readonly thresholds: readonly Threshold[];
  /** Why a rate is left out: a sentence each. */
  readonly limits: readonly string[];
}

/**
 * @param file - a list of pairs that names images of `features`
 * @param shown - the list as the user named it
 * @throws {MagfaceError} `feature_missing` when a pair names another image, `evaluation_impossible` without both kinds
 */
export async function measureThresholds(
  features: FeatureSet,
  file: string,
  shown: string,
): Promise<MeasuredThresholds> {
  const pairs = resolvePairs(await readPairList(file), features, { match: 'name' });
  const similarities = cosineSimilarities(features, pairs);
  const impostors = pairs.same.filter((label) => label === 0).length;
  const set = `${impostors.toLocaleString('en')} impostor pairs of ${shown}`;
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

/** For people: `FMR 1e-3  threshold 0.3120  (0.2691 to 0.3580)`. */
export const thresholdLine = ({ fmr, threshold, interval }: Threshold): string => {
  const ends = interval === undefined ? '' : `   95 %: ${interval.map((end) => end.toFixed(4)).join(' to ')}`;
  return `FMR ${power(fmr)}  threshold ${threshold.toFixed(4)}${ends}`;
};
