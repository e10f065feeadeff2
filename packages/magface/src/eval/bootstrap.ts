/**
 * How sure a threshold and a rate are. Pairs share people, so the bootstrap draws people: K identities with replacement,
 * w_i times each; a genuine pair of i then weighs w_i, an impostor pair of i and j weighs w_i · w_j. Every draw gives an
 * exact operating point; the interval is that of its percentiles.
 *
 * @see Bolle, Ratha and Pankanti, "Error analysis of pattern recognition systems: the subsets bootstrap", CVIU 2004
 */
import { ConfigError } from '../errors.ts';
import { randomStream } from '../random.ts';
import type { PairIdentities } from './identities.ts';
import { canMeasure, type OperatingPoint, pointAtFar, splitScores } from './roc.ts';

/** Lower and upper end. */
export type Interval = readonly [low: number, high: number];

/** An exact operating point with its intervals. */
export interface ThresholdEstimate extends OperatingPoint {
  readonly thresholdInterval: Interval;
  readonly tarInterval: Interval;
}

/** How to draw. */
export interface BootstrapOptions {
  /** False accept (match) rates; those that the impostors cannot tell are left out. @default 1e-2 … 1e-6 */
  readonly far?: readonly number[];
  /** Draws, 100 or more. @default 1000 */
  readonly replicates?: number;
  /** Share of draws within an interval, in (0, 1). @default 0.95 */
  readonly confidence?: number;
  /** @default 1 */
  readonly seed?: number;
}

/**
 * Thresholds at false match rates, with intervals: what a model's metadata holds after calibration on pairs.
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
  const { far = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6], replicates = 1000, confidence = 0.95, seed = 1 } = options;
  if (!(replicates >= 100 && confidence > 0 && confidence < 1)) {
    throw new ConfigError(
      'replicates',
      `Expected 100 or more replicates and a confidence between 0 and 1 but received ${replicates} and ${confidence}.`,
    );
  }
  const scores = splitScores(similarities, same);
  const rates = far.filter((rate) => canMeasure(rate, scores.impostor.length)).sort((a, b) => a - b);
  const draw = resampler(similarities, same, identities);
  const random = randomStream(seed);
  const draws = Array.from({ length: replicates }, () => draw(rates, random));
  const interval = (values: readonly number[]): Interval => {
    const sorted = Float64Array.from(values).sort();
    const outside = ((1 - confidence) / 2) * (sorted.length - 1);
    return [sorted[Math.floor(outside)]!, sorted[Math.ceil(sorted.length - 1 - outside)]!];
  };
  const estimates = rates.map((rate, i) => ({
    ...pointAtFar(scores, rate),
    thresholdInterval: interval(draws.map((points) => points[i]!.limit)),
    tarInterval: interval(draws.map((points) => points[i]!.tar)),
  }));
  return far.flatMap((rate) => estimates.filter((estimate) => estimate.far === rate));
}

interface DrawnPoint {
  /** The most alike impostor that the rate refuses. */
  readonly limit: number;
  readonly tar: number;
}

/** @returns a function that draws identities once and gives the operating points at rising rates. */
function resampler(
  similarities: Float64Array,
  same: Uint8Array,
  { left, right, count }: PairIdentities,
): (rates: readonly number[], random: () => number) => DrawnPoint[] {
  const order = Uint32Array.from(similarities.keys()).sort((a, b) => similarities[b]! - similarities[a]!);
  const [genuine, impostor] = [order.filter((pair) => same[pair] === 1), order.filter((pair) => same[pair] !== 1)];
  const times = new Uint32Array(count);
  const weight = (pair: number): number =>
    same[pair] === 1 ? times[left[pair]!]! : times[left[pair]!]! * times[right[pair]!]!;
  const total = (pairs: Uint32Array): number => {
    let sum = 0;
    for (let i = 0; i < pairs.length; i++) sum += weight(pairs[i]!);
    return sum;
  };
  return (rates, random) => {
    let totals = [0, 0];
    while (totals.includes(0)) {
      times.fill(0);
      for (let i = 0; i < count; i++) times[Math.floor(random() * count)]!++;
      totals = [total(genuine), total(impostor)];
    }
    const [genuineTotal = 1, impostorTotal = 1] = totals;
    let [i, falseAccepts, g, accepts] = [0, 0, 0, 0];
    return rates.map((rate) => {
      const allowed = rate * impostorTotal + 1e-9;
      while (falseAccepts + weight(impostor[i]!) <= allowed) falseAccepts += weight(impostor[i++]!);
      const limit = similarities[impostor[i]!]!;
      while (g < genuine.length && similarities[genuine[g]!]! > limit) accepts += weight(genuine[g++]!);
      return { limit, tar: accepts / genuineTotal };
    });
  };
}
