/** Fits the lower side of a quality scale to pairs of a reference set. */
import { fitFailures } from '../calibrate.ts';
import { MagfaceError } from '../errors.ts';
import type { Threshold } from '../models/contract.ts';
import { type FeatureSet, magnitudesOf } from './feature-set.ts';
import { cosineSimilarities, type Pairs } from './verification.ts';

/** The rate at which a comparison fails or succeeds. */
const fmr = 1e-3;

/** Either the width, or a sentence that says why the pairs do not give one. */
export type MeasuredLowerWidth =
  | { readonly widthBelow: number; readonly half: number; readonly limit?: undefined }
  | { readonly widthBelow?: undefined; readonly limit: string };

/**
 * Uses the genuine pairs with at least one ordinary face, of magnitude `centre` or more; the other face decides whether the
 * comparison fails at FMR 1e-3.
 *
 * @param features - embeddings without flip, as `compare` uses them
 * @param scale - centre of the scale, and the measured thresholds
 */
export function measureLowerWidth(
  features: FeatureSet,
  pairs: Pairs,
  { centre, thresholds }: { readonly centre: number; readonly thresholds: readonly Threshold[] },
): MeasuredLowerWidth {
  const threshold = thresholds.find((one) => one.fmr === fmr)?.threshold;
  if (threshold === undefined) return { limit: kept('it needs the threshold at FMR 1e-3') };
  const magnitudes = magnitudesOf(features);
  const similarities = cosineSimilarities(features, pairs);
  const of = (pair: number): readonly [poorer: number, better: number] => {
    const [a, b] = [magnitudes[pairs.left[pair]!]!, magnitudes[pairs.right[pair]!]!];
    return a < b ? [a, b] : [b, a];
  };
  const used = [...similarities.keys()].filter((pair) => pairs.same[pair] === 1 && of(pair)[1] >= centre);
  try {
    const { widthBelow, half } = fitFailures(
      used.map((pair) => of(pair)[0]),
      used.map((pair) => (similarities[pair]! < threshold ? 1 : 0)),
      centre,
    );
    return { widthBelow, half };
  } catch (error) {
    if (error instanceof MagfaceError && error.code === 'calibration_impossible')
      return { limit: kept(`${error.message[0]!.toLowerCase()}${error.message.slice(1).replace(/\.$/, '')}`) };
    throw error;
  }
}

const kept = (why: string): string => `The scale has one width, because its lower side could not be fitted: ${why}.`;
