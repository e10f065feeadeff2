/**
 * Confidence intervals. Pairs share people, so the bootstrap resamples people: K identities with replacement, w_i times
 * each. A genuine pair of i then counts w_i times, an impostor pair of i and j counts w_i · w_j times. Every draw yields the
 * figure again, and the interval consists of its percentiles.
 *
 * @see Bolle, Ratha and Pankanti, "Error analysis of pattern recognition systems: the subsets bootstrap", CVIU 2004
 */
import { ConfigError } from '../errors.ts';
import { randomStream } from '../random.ts';
import type { PairIdentities } from './identities.ts';
import { canMeasure, type OperatingPoint, pointAtFar, type Scores, splitScores } from './roc.ts';
import { rocMeter, type WeightedRates } from './weighted-roc.ts';

/** Lower and upper end. */
export type Interval = readonly [low: number, high: number];

/** An exact operating point with its intervals. */
export interface ThresholdEstimate extends OperatingPoint {
  readonly thresholdInterval: Interval;
  readonly tarInterval: Interval;
}

/** Options of the bootstrap. */
export interface DrawOptions {
  /** Number of draws, 100 or more. @default 1000 */
  readonly replicates?: number;
  /** @default 1 */
  readonly seed?: number;
}

/** Options for estimating thresholds. */
export interface BootstrapOptions extends DrawOptions {
  /** False accept (match) rates; rates with too few impostors are omitted. @default 1e-2 … 1e-6 */
  readonly far?: readonly number[];
  /** Share of draws within an interval, in (0, 1). @default 0.95 */
  readonly confidence?: number;
}

/**
 * Estimates thresholds at false match rates, with intervals, for a model's metadata.
 *
 * @param similarities - (P) cosine
 * @param same - (P) 1 for genuine pairs
 * @throws {MagfaceError} `evaluation_impossible` without genuine or impostor pairs
 */
export function estimateThresholds(
  similarities: Float64Array,
  same: Uint8Array,
  identities: PairIdentities,
  options: BootstrapOptions = {},
): ThresholdEstimate[] {
  const { far = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6], confidence = 0.95 } = options;
  const scores = splitScores(similarities, same);
  const rates = far.filter((rate) => canMeasure(rate, scores.impostor.length)).sort((a, b) => a - b);
  const ratesOf = rocMeter(similarities, same);
  const draws = drawPeople(same, identities, options, (weights) => ratesOf(weights, rates));
  const known = far.filter((rate) => rates.includes(rate));
  return known.map((rate) => thresholdFrom(draws, rates.indexOf(rate), { scores, rate, confidence }));
}

/** @param at - index of the rate among those measured on each draw */
export function thresholdFrom(
  draws: readonly WeightedRates[],
  at: number,
  { scores, rate, confidence }: { readonly scores: Scores; readonly rate: number; readonly confidence?: number },
): ThresholdEstimate {
  const interval = (value: (draw: WeightedRates) => number): Interval => intervalOf(draws.map(value), confidence);
  return {
    ...pointAtFar(scores, rate),
    thresholdInterval: interval(({ limits }) => limits[at]!),
    tarInterval: interval(({ tars }) => tars[at]!),
  };
}

/**
 * The same identities and seed give the same draws, so that two models on one list of pairs can be compared draw by draw.
 *
 * @param same - (P) 1 for genuine pairs
 * @param measure - receives the weight of each of the P pairs, in an array that every draw overwrites
 * @returns one result per draw
 */
export function drawPeople<Result>(
  same: Uint8Array,
  { left, right, count }: PairIdentities,
  { replicates = 1000, seed = 1 }: DrawOptions,
  measure: (weights: Uint32Array) => Result,
): Result[] {
  if (!(replicates >= 100))
    throw new ConfigError('replicates', {
      expected: 'at least 100 replicates',
      received: replicates,
      remedy: 'raise the number',
    });
  const random = randomStream(seed);
  const times = new Uint32Array(count);
  const weights = new Uint32Array(same.length);
  return Array.from({ length: replicates }, () => {
    let totals = [0, 0];
    // Redraw without pairs of both kinds, which happens only with a handful of people.
    while (totals.includes(0)) {
      times.fill(0);
      for (let i = 0; i < count; i++) times[Math.floor(random() * count)]!++;
      totals = [0, 0];
      for (let pair = 0; pair < same.length; pair++) {
        const [own, other] = [times[left[pair]!]!, times[right[pair]!]!];
        weights[pair] = same[pair] === 1 ? own : own * other;
        totals[same[pair]!]! += weights[pair]!;
      }
    }
    return measure(weights);
  });
}

/** @returns the percentiles of the draws just outside the share, without interpolation */
export function intervalOf(draws: ArrayLike<number>, confidence = 0.95): Interval {
  if (!(confidence > 0 && confidence < 1))
    throw new ConfigError('confidence', {
      expected: 'a confidence between 0 and 1',
      received: confidence,
      remedy: 'use 0.95, for example',
    });
  const sorted = Float64Array.from(draws).sort();
  const outside = ((1 - confidence) / 2) * (sorted.length - 1);
  return [sorted[Math.floor(outside)]!, sorted[Math.ceil(sorted.length - 1 - outside)]!];
}
