/**
 * QMagFace: a comparison at test time that also knows the quality of both faces.
 *
 *     s′ = s + ω(s) · q,   ω(s) = min(0, β · s − α),   q = min(‖f_a‖, ‖f_b‖)
 *
 * So a score below α / β is lowered, the more the better both faces are: two sharp faces of one person would be more alike.
 * α and β belong to a model, since magnitudes have another range for each.
 *
 * @see Terhörst et al., QMagFace, WACV 2023, arXiv 2111.13475; the authors' similarity/qmagface.py
 */
import { MagfaceError } from '../errors.ts';
import type { QualifiedPairs } from './quality-decision.ts';
import { areaUnderRoc, canMeasure, equalErrorRate, pointAtFar, splitScores } from './roc.ts';
import { cosineAccuracy, foldBounds } from './verification.ts';

/** α and β of ω. */
export interface QMagFaceLine {
  readonly alpha: number;
  readonly beta: number;
}

/** The authors' values for the official iResNet-100, whose magnitudes are 10 to 110. */
export const officialLine: QMagFaceLine = { alpha: 0.077428, beta: 0.125926 };

/**
 * @param similarity - cosine of two faces
 * @param quality - the lower of their magnitudes
 */
export function qmagfaceScore(similarity: number, quality: number, { alpha, beta }: QMagFaceLine): number {
  return similarity + Math.min(0, beta * similarity - alpha) * quality;
}

/** Figures by QMagFace's score. */
export interface QMagFaceFigures {
  /** Given, or fitted on all pairs. */
  readonly line: QMagFaceLine;
  /** Whether the line was fitted; the figures then use for each fold the line of the other folds. */
  readonly fitted: boolean;
  /** Mean over folds, with the exact best threshold of the other folds. */
  readonly accuracy: number;
  readonly auc: number;
  readonly eer: number;
  /** From the rate, as text, to the share of genuine pairs accepted. */
  readonly tarAtFar: Readonly<Record<string, number>>;
}

export interface QMagFaceOptions {
  /** @default fitted */
  readonly line?: QMagFaceLine | undefined;
  /** Contiguous folds. @default 10 */
  readonly folds?: number;
  /** False accept rates to report. @default 0.1, 0.01, 0.001, 0.0001 */
  readonly far?: readonly number[];
}

/**
 * Measures QMagFace's score on pairs.
 *
 * @throws {MagfaceError} `evaluation_impossible` if there are too few impostors to fit a line
 */
export function qmagfaceFigures(
  { similarities, same, quality }: QualifiedPairs,
  { line: given, folds = 10, far = [0.1, 0.01, 0.001, 0.0001] }: QMagFaceOptions = {},
): QMagFaceFigures {
  const all = (): boolean => true;
  const line = given ?? fitQmagface({ similarities, same, quality }, all);
  const scores = new Float64Array(same.length);
  for (const { from, to } of foldBounds(same.length, folds)) {
    const own = given ?? fitQmagface({ similarities, same, quality }, (pair) => pair < from || pair >= to);
    for (let pair = from; pair < to; pair++) scores[pair] = qmagfaceScore(similarities[pair]!, quality[pair]!, own);
  }
  const split = splitScores(scores, same);
  const points = far.filter((rate) => canMeasure(rate, split.impostor.length)).map((rate) => pointAtFar(split, rate));
  return {
    line,
    fitted: given === undefined,
    accuracy: cosineAccuracy(scores, same, folds).accuracy,
    auc: areaUnderRoc(split),
    eer: equalErrorRate(split),
    tarAtFar: Object.fromEntries(points.map((point) => [String(point.far), point.tar])),
  };
}

/** The authors' grid: 50 rates from 1e-5 to 1e-2, and 20 weights that move a score by half at most. */
const [rateCount, lowestRate, highestRate, weightCount, largestShift] = [50, 1e-5, 1e-2, 20, 0.5];

/**
 * Fits α and β as the authors do: for each false match rate the constant weight ω with the fewest false non-matches of
 * s + ω · q, then a line through these weights over their thresholds, by least squares. Thresholds are exact ones of s + ω · q;
 * the authors' code takes them of its logistic function. Rates that the pairs cannot measure are left out.
 *
 * @param uses - whether a pair takes part
 */
export function fitQmagface(
  { similarities, same, quality }: QualifiedPairs,
  uses: (pair: number) => boolean = () => true,
): QMagFaceLine {
  const pairs = [...same.keys()].filter(uses);
  const labels = Uint8Array.from(pairs, (pair) => same[pair]!);
  const impostors = labels.filter((label) => label === 0).length;
  const rates = Array.from({ length: rateCount }, (_, i) => {
    return lowestRate * (highestRate / lowestRate) ** (i / (rateCount - 1));
  }).filter((rate) => canMeasure(rate, impostors));
  if (rates.length < 2) {
    throw new MagfaceError('evaluation_impossible', {
      expected: `at least ${Math.ceil(1 / highestRate)} impostor pairs to fit QMagFace`,
      received: impostors,
      remedy: 'give alpha and beta, or more pairs',
    });
  }
  const highest = pairs.reduce((most, pair) => Math.max(most, quality[pair]!), 0);
  const best = rates.map(() => ({ tar: -1, threshold: 0, weight: 0 }));
  for (let i = 0; i < weightCount; i++) {
    const weight = (largestShift / highest) * ((2 * i) / (weightCount - 1) - 1);
    const scores = splitScores(
      Float64Array.from(pairs, (pair) => similarities[pair]! + weight * quality[pair]!),
      labels,
    );
    for (const [k, rate] of rates.entries()) {
      const { tar, threshold } = pointAtFar(scores, rate);
      if (tar > best[k]!.tar) best[k] = { tar, threshold, weight };
    }
  }
  return lineThrough(best);
}

/** The line weight = β · threshold − α with the least squares; a flat one if all thresholds are equal. */
function lineThrough(points: readonly { readonly threshold: number; readonly weight: number }[]): QMagFaceLine {
  const mean = (of: (point: (typeof points)[number]) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean(({ threshold }) => threshold), mean(({ weight }) => weight)];
  const spread = mean(({ threshold }) => (threshold - x) ** 2);
  const beta = spread === 0 ? 0 : mean(({ threshold, weight }) => (threshold - x) * (weight - y)) / spread;
  return { alpha: beta * x - y, beta };
}
