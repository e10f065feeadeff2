/**
 * One-to-one verification: are these two faces of one person? Cross-validated accuracy, with thresholds chosen on
 * the other folds, by two protocols:
 *
 *     official: d = arccos(cos(a − μ, b − μ)) / π, μ the mean feature of the training folds, same when d < t,
 *               t from 0, 0.01, 0.02, …: the first best one on the training folds
 *     cosine:   s = cos(a, b), same when s ≥ t, t exact: halfway between two scores of the training folds
 *
 * @see official inference/eval_1v1; LFW View 2 (Huang et al., 2007)
 */
import { ConfigError, ShapeError } from '../errors.ts';
import { compare } from '../similarity.ts';
import { expectFeatures, type FeatureSet, rowOf, rowsOf } from './feature-set.ts';
import { areaUnderRoc, canMeasure, equalErrorRate, pointAtFar, splitScores } from './roc.ts';

/** P pairs of feature rows. */
export interface Pairs {
  /** (P) rows in the feature set. */
  readonly left: Uint32Array;
  readonly right: Uint32Array;
  /** (P) 1 for two images of one person, else 0. */
  readonly same: Uint8Array;
}

/** Result of cross-validation. */
export interface FoldAccuracy {
  /** Mean over the folds, 0 to 1. */
  readonly accuracy: number;
  /** Population standard deviation over the folds. */
  readonly accuracyStd: number;
  readonly folds: readonly { readonly accuracy: number; readonly threshold: number }[];
  /** (P) 1 if the threshold of the other folds decides a pair correctly. */
  readonly correct: Uint8Array;
}

/** Options for verification. */
export interface VerificationOptions {
  /** Contiguous folds, 2 or more. @default 10 */
  readonly folds?: number;
  /** False accept rates to report. @default 0.1, 0.01, 0.001, 0.0001 */
  readonly far?: readonly number[];
}

/** The output of `evaluate pairs`. */
export interface Verification {
  readonly pairs: number;
  readonly genuine: number;
  readonly impostor: number;
  readonly folds: number;
  /** By the official protocol. */
  readonly accuracy: number;
  readonly accuracyStd: number;
  /** By plain cosine with exact thresholds. */
  readonly cosineAccuracy: number;
  readonly cosineAccuracyStd: number;
  readonly auc: number;
  readonly eer: number;
  /** From the rate, as text, to the share of genuine pairs accepted; rates with too few impostors are absent. */
  readonly tarAtFar: Readonly<Record<string, number>>;
  readonly thresholdAtFar: Readonly<Record<string, number>>;
  /** Why a rate is absent, and other caveats: one sentence each. */
  readonly limits: readonly string[];
}

/** The figures, and the decisions of both protocols on each pair. */
export interface DecidedPairs {
  readonly verification: Verification;
  readonly official: FoldAccuracy;
  readonly cosine: FoldAccuracy;
}

/**
 * @throws {ShapeError} if a pair refers to a missing row, or a feature is all zeros
 * @throws {MagfaceError} `evaluation_impossible` without genuine or impostor pairs
 */
export const verify = (features: FeatureSet, pairs: Pairs, options: VerificationOptions = {}): Verification =>
  decidePairs(features, pairs, options).verification;

/** The same, with the decision on every pair. */
export function decidePairs(features: FeatureSet, pairs: Pairs, options: VerificationOptions = {}): DecidedPairs {
  const { folds = 10, far = [0.1, 0.01, 0.001, 0.0001] } = options;
  const similarities = cosineSimilarities(features, pairs);
  const scores = splitScores(similarities, pairs.same);
  const official = officialAccuracy(features, pairs, folds);
  const cosine = cosineAccuracy(similarities, pairs.same, folds);
  const impostors = scores.impostor.length;
  const points = far.filter((rate) => canMeasure(rate, impostors)).map((rate) => pointAtFar(scores, rate));
  const verification = {
    pairs: pairs.same.length,
    genuine: scores.genuine.length,
    impostor: impostors,
    folds,
    accuracy: official.accuracy,
    accuracyStd: official.accuracyStd,
    cosineAccuracy: cosine.accuracy,
    cosineAccuracyStd: cosine.accuracyStd,
    auc: areaUnderRoc(scores),
    eer: equalErrorRate(scores),
    tarAtFar: Object.fromEntries(points.map((point) => [String(point.far), point.tar])),
    thresholdAtFar: Object.fromEntries(points.map((point) => [String(point.far), point.threshold])),
    limits: [
      ...far
        .filter((rate) => !canMeasure(rate, impostors))
        .map(
          (rate) => `FAR ${rate} needs ${Math.ceil(1 / rate - 1e-6)} impostor pairs but there are only ${impostors}.`,
        ),
      ...oneSidedFolds(pairs.same, folds),
    ],
  };
  return { verification, official, cosine };
}

/** Warns about lists sorted by label: thresholds do not transfer between their folds, so accuracy means little. */
function oneSidedFolds(same: Uint8Array, folds: number): string[] {
  const kinds = foldBounds(same.length, folds).map(({ from, to }) => new Set(same.subarray(from, to)).size);
  const oneSided = kinds.filter((count) => count === 1).length;
  return oneSided === 0
    ? []
    : [
        `${oneSided} of ${folds} folds contain pairs of only one kind, so accuracy over folds means little: sort the pairs by fold, or use fewer folds.`,
      ];
}

/**
 * Computes the cosine similarity of every pair.
 *
 * @returns (P) float64, -1 to 1
 */
export function cosineSimilarities(features: FeatureSet, pairs: Pairs): Float64Array {
  expectFeatures(features);
  expectPairs(pairs, rowsOf(features));
  return Float64Array.from(pairs.left, (row, i) => compare(rowOf(features, row), rowOf(features, pairs.right[i]!)));
}

/** Accuracy by the official protocol, to its printed digits. Its thresholds are distances. */
export function officialAccuracy(features: FeatureSet, pairs: Pairs, folds = 10): FoldAccuracy {
  expectFeatures(features);
  expectPairs(pairs, rowsOf(features));
  const right = new Uint8Array(pairs.same.length);
  return summarize(
    right,
    foldBounds(pairs.same.length, folds).map(({ from, to }) => {
      const mean = meanFeature(features, pairs, (pair) => pair < from || pair >= to);
      const accepting = Uint16Array.from(pairs.left, (row, i) =>
        firstAccepting(angularDistance(features, [row, pairs.right[i]!], mean)),
      );
      const correct = (step: number, pair: number): boolean => accepting[pair]! <= step === (pairs.same[pair] === 1);
      const counts = gridCounts(accepting, pairs.same, (pair) => pair < from || pair >= to);
      const step = counts.indexOf(Math.max(...counts));
      for (let pair = from; pair < to; pair++) right[pair] = correct(step, pair) ? 1 : 0;
      return { accuracy: share(right.subarray(from, to)), threshold: step * gridStep };
    }),
  );
}

/**
 * Accuracy with the exact best threshold of the training folds; the strictest of equals.
 *
 * @param similarities - (P) higher means more alike
 */
export function cosineAccuracy(similarities: Float64Array, same: Uint8Array, folds = 10): FoldAccuracy {
  const order = Uint32Array.from(similarities.keys()).sort((a, b) => similarities[b]! - similarities[a]!);
  const right = new Uint8Array(same.length);
  return summarize(
    right,
    foldBounds(same.length, folds).map(({ from, to }) => {
      const threshold = bestThreshold(
        order.filter((pair) => pair < from || pair >= to),
        similarities,
        same,
      );
      for (let pair = from; pair < to; pair++)
        right[pair] = similarities[pair]! >= threshold === (same[pair] === 1) ? 1 : 0;
      return { accuracy: share(right.subarray(from, to)), threshold };
    }),
  );
}

/**
 * Contiguous folds in the order of the pairs; the first folds take the remainder.
 *
 * @throws {ConfigError} if there are fewer than two folds, or more folds than pairs
 */
export function foldBounds(pairs: number, folds: number): { readonly from: number; readonly to: number }[] {
  if (!Number.isInteger(folds) || folds < 2 || folds > pairs) {
    throw new ConfigError('folds', {
      expected: `2 to ${pairs} folds for ${pairs} pairs`,
      received: folds,
      remedy: 'change the number, because thresholds are chosen on the other folds',
    });
  }
  const [size, more] = [Math.floor(pairs / folds), pairs % folds];
  const start = (fold: number): number => fold * size + Math.min(fold, more);
  return Array.from({ length: folds }, (_, fold) => ({ from: start(fold), to: start(fold + 1) }));
}

/** @throws {ShapeError} if the columns differ in length or point outside the features. */
function expectPairs({ left, right, same }: Pairs, rows: number): void {
  if (left.length !== right.length || left.length !== same.length) {
    throw new ShapeError({
      expected: 'columns of equal length',
      received: `${left.length} left, ${right.length} right and ${same.length} labels`,
      remedy: 'pass one of each per pair',
    });
  }
  const outside = left.findIndex((row, i) => row >= rows || right[i]! >= rows);
  if (outside >= 0) {
    throw new ShapeError({
      expected: `pairs of ${rows} feature rows`,
      problem: `pair ${outside + 1} refers to row ${Math.max(left[outside]!, right[outside]!) + 1}`,
      remedy: 'use features and pairs of the same list',
    });
  }
}

const gridStep = 0.01;
const gridSteps = 400;

/** (D) the mean over both features of all chosen pairs. */
function meanFeature(features: FeatureSet, { left, right }: Pairs, chosen: (pair: number) => boolean): Float64Array {
  const { values, dimension } = features;
  const mean = new Float64Array(dimension);
  let rows = 0;
  for (let pair = 0; pair < left.length; pair++) {
    if (!chosen(pair)) continue;
    const [a, b] = [left[pair]! * dimension, right[pair]! * dimension];
    for (let i = 0; i < dimension; i++) mean[i]! += values[a + i]! + values[b + i]!;
    rows += 2;
  }
  return mean.map((sum) => sum / rows);
}

/** arccos(cos(a − μ, b − μ)) / π: 0 for one direction, 0.5 for right angles and if a feature equals the mean. */
function angularDistance(
  { values, dimension }: FeatureSet,
  rows: readonly [number, number],
  mean: Float64Array,
): number {
  const [a, b] = [rows[0] * dimension, rows[1] * dimension];
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < dimension; i++) {
    const [x, y] = [values[a + i]! - mean[i]!, values[b + i]! - mean[i]!];
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  const cosine = aa > 0 && bb > 0 ? dot / Math.sqrt(aa * bb) : 0;
  return Math.acos(Math.min(1, Math.max(-1, cosine))) / Math.PI;
}

/** The first grid step with a threshold above a distance: the pair is accepted from there on. */
function firstAccepting(distance: number): number {
  let step = Math.max(0, Math.floor(distance / gridStep) - 1);
  while (step * gridStep <= distance) step++;
  return step;
}

/** How many of the chosen pairs each step of the grid gets right. */
function gridCounts(accepting: Uint16Array, same: Uint8Array, chosen: (pair: number) => boolean): number[] {
  const gain = new Int32Array(gridSteps + 1);
  let right = 0;
  for (let pair = 0; pair < same.length; pair++) {
    if (!chosen(pair)) continue;
    if (same[pair] !== 1) right++; // threshold 0 rejects every pair
    gain[accepting[pair]!]! += same[pair] === 1 ? 1 : -1;
  }
  return Array.from({ length: gridSteps }, (_, step) => {
    right += gain[step]!;
    return right;
  });
}

/** The midpoint of the two neighbours that separate the pairs best; `order` starts with the most alike. */
function bestThreshold(order: Uint32Array, similarities: Float64Array, same: Uint8Array): number {
  let right = order.reduce((impostors, pair) => impostors + (same[pair] === 1 ? 0 : 1), 0);
  let [best, threshold] = [right, Number.POSITIVE_INFINITY];
  for (let k = 0; k < order.length; k++) {
    right += same[order[k]!] === 1 ? 1 : -1;
    const [score, next] = [similarities[order[k]!]!, similarities[order[k + 1] ?? -1] ?? Number.NEGATIVE_INFINITY];
    if (right > best && next < score)
      [best, threshold] = [right, next === Number.NEGATIVE_INFINITY ? score : (score + next) / 2];
  }
  return threshold;
}

const share = (right: Uint8Array): number => right.reduce((sum, one) => sum + one, 0) / right.length;

/** Mean and population standard deviation over the folds. */
function summarize(correct: Uint8Array, folds: FoldAccuracy['folds']): FoldAccuracy {
  const accuracy = folds.reduce((sum, fold) => sum + fold.accuracy, 0) / folds.length;
  const variance = folds.reduce((sum, fold) => sum + (fold.accuracy - accuracy) ** 2, 0) / folds.length;
  return { accuracy, accuracyStd: Math.sqrt(variance), folds, correct };
}
