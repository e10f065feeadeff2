/**
 * Quality as a probability: of the genuine pairs said to be accepted with probability p, is a share p accepted at the
 * threshold of an FMR? Two predictions are judged, by bins with equal numbers of pairs:
 *
 *     score    the model's own scale: p = Q / 100
 *     fitted   p = 1 / (1 + exp(−(α + β · quality))), fitted on half of the people and judged on the other half, both ways
 *
 *     ECE = Σ bins (pairs / all) · |mean p − share accepted|,   Brier = mean (p − accepted)²
 *
 * @see Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015
 */
import { ConfigError, MagfaceError } from '../errors.ts';
import { type Calibration, qualityScore } from '../quality.ts';
import type { PairIdentities } from './identities.ts';
import type { QualifiedPairs } from './quality-decision.ts';
import { pointAtFar, splitScores } from './roc.ts';

/** Genuine pairs of similar prediction. */
export interface ReliabilityBin {
  readonly pairs: number;
  /** Mean of the predicted probabilities. */
  readonly predicted: number;
  /** Share of the pairs that were accepted. */
  readonly accepted: number;
}

/** How far predictions agree with outcomes. */
export interface Reliability {
  /** Rising in prediction. */
  readonly bins: readonly ReliabilityBin[];
  /** Expected calibration error over the bins, 0 to 1. */
  readonly ece: number;
  /** Mean squared error of single predictions. */
  readonly brier: number;
}

/** The reliability of quality at one threshold. */
export interface QualityReliability {
  readonly fmr: number;
  /** Accept when the similarity is this or more. */
  readonly threshold: number;
  /** Genuine pairs. */
  readonly genuine: number;
  readonly fitted: Reliability;
  /** Absent without the model's scale. */
  readonly score?: Reliability;
}

/** Options of reliability. */
export interface ReliabilityOptions {
  /** @default 0.001 */
  readonly fmr?: number;
  /** Number of bins. @default 10 */
  readonly bins?: number;
  /** The model's scale from magnitude to Q. @default none */
  readonly scale?: Pick<Calibration, 'centre' | 'width'> | undefined;
}

/**
 * Judges quality as a probability that a genuine pair is accepted.
 *
 * @param pairs - `quality` is the lower magnitude of the two faces
 * @param people - the identities in the pairs
 * @throws {MagfaceError} `evaluation_impossible` if there are too few impostors for the rate, or genuine pairs of one person only
 */
export function qualityReliability(
  pairs: QualifiedPairs,
  people: PairIdentities,
  { fmr = 0.001, bins = 10, scale }: ReliabilityOptions = {},
): QualityReliability {
  const { similarities, same, quality } = pairs;
  const { threshold } = pointAtFar(splitScores(similarities, same), fmr);
  const genuine = Array.from(same.keys()).filter((pair) => same[pair] === 1);
  const accepted = Uint8Array.from(genuine, (pair) => (similarities[pair]! >= threshold ? 1 : 0));
  const values = Float64Array.from(genuine, (pair) => quality[pair]!);
  const predicted = predictAcross(
    values,
    accepted,
    Uint32Array.from(genuine, (pair) => people.left[pair]!),
  );
  return {
    fmr,
    threshold,
    genuine: genuine.length,
    fitted: reliabilityOf(predicted, accepted, bins),
    ...(scale && {
      score: reliabilityOf(
        values.map((value) => qualityScore(value, scale) / 100),
        accepted,
        bins,
      ),
    }),
  };
}

/**
 * Compares predicted probabilities with outcomes. Bins hold equal numbers of pairs; equal predictions share a bin.
 *
 * @param predicted - (N) 0 to 1
 * @param outcome - (N) 1 or 0
 */
export function reliabilityOf(predicted: Float64Array, outcome: Uint8Array, bins = 10): Reliability {
  if (!Number.isInteger(bins) || bins < 1)
    throw new ConfigError('bins', { expected: 'one or more bins', received: bins, remedy: 'use 10, for example' });
  const order = Uint32Array.from(predicted.keys()).sort((a, b) => predicted[a]! - predicted[b]!);
  const found: ReliabilityBin[] = [];
  let brier = 0;
  for (let from = 0, bin = 1; from < order.length; bin++) {
    let to = Math.max(from + 1, Math.round((bin * order.length) / bins));
    while (to < order.length && predicted[order[to]!] === predicted[order[to - 1]!]) to++;
    let [sum, hits] = [0, 0];
    for (const pair of order.subarray(from, to)) {
      sum += predicted[pair]!;
      hits += outcome[pair]!;
      brier += (predicted[pair]! - outcome[pair]!) ** 2;
    }
    found.push({ pairs: to - from, predicted: sum / (to - from), accepted: hits / (to - from) });
    from = to;
  }
  const gaps = found.map((bin) => bin.pairs * Math.abs(bin.predicted - bin.accepted));
  return {
    bins: found,
    ece: gaps.reduce((sum, gap) => sum + gap, 0) / order.length,
    brier: brier / order.length,
  };
}

/** @returns (N) each pair's probability by the fit on the people of the other half */
function predictAcross(values: Float64Array, outcome: Uint8Array, person: Uint32Array): Float64Array {
  const predicted = new Float64Array(values.length);
  const halves = halvesOf(person);
  for (const half of [0, 1]) {
    const rows = Array.from(values.keys()).filter((row) => halves[row] !== half);
    if (rows.length === 0 || rows.length === values.length)
      throw new MagfaceError('evaluation_impossible', {
        expected: 'genuine pairs of several people',
        received: 'one person',
        remedy: 'add pairs of other people',
      });
    const fit = fitLogistic(
      Float64Array.from(rows, (row) => values[row]!),
      Uint8Array.from(rows, (row) => outcome[row]!),
    );
    values.forEach((value, row) => {
      if (halves[row] === half) predicted[row] = probability(fit.intercept + fit.slope * value);
    });
  }
  return predicted;
}

/**
 * Every other of the people who have genuine pairs. Their own numbers would not do: a list that gives genuine and impostor
 * pairs by turns gives these people even numbers only.
 *
 * @returns (N) 0 or 1
 */
function halvesOf(person: Uint32Array): Uint8Array {
  const order = new Map<number, number>();
  return Uint8Array.from(person, (number) => {
    if (!order.has(number)) order.set(number, order.size);
    return order.get(number)! % 2;
  });
}

const probability = (logit: number): number => 1 / (1 + Math.exp(-logit));

/**
 * Logistic regression on one variable, by Newton's method on the standardized variable.
 *
 * @returns α and β of p = 1 / (1 + exp(−(α + β · x))); where x separates the outcomes the fit stops at steep but finite values
 */
export function fitLogistic(x: Float64Array, y: Uint8Array): { readonly intercept: number; readonly slope: number } {
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
  const spread = Math.sqrt(x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length) || 1;
  let [a, b] = [0, 0];
  for (let round = 0; round < 30; round++) {
    let [ga, gb, haa, hab, hbb] = [0, 0, 1e-12, 0, 1e-12];
    x.forEach((value, i) => {
      const z = (value - mean) / spread;
      const p = probability(a + b * z);
      const weight = p * (1 - p);
      ga += y[i]! - p;
      gb += (y[i]! - p) * z;
      haa += weight;
      hab += weight * z;
      hbb += weight * z * z;
    });
    const determinant = haa * hbb - hab * hab;
    if (!(determinant > 1e-18)) break;
    const [da, db] = [(hbb * ga - hab * gb) / determinant, (haa * gb - hab * ga) / determinant];
    const step = Math.min(1, 4 / Math.max(Math.abs(da), Math.abs(db))); // far steps overshoot
    a += step * da;
    b += step * db;
    if (Math.max(Math.abs(da), Math.abs(db)) < 1e-12 || Math.max(Math.abs(a), Math.abs(b)) > 40) break;
  }
  return { intercept: a - (b * mean) / spread, slope: b / spread };
}
