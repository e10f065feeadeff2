/**
 * Exact error rates from similarities: thresholds are order statistics of the measured scores, without grid or
 * interpolation.
 *
 *     FAR(t) = share of impostors with s ≥ t,   TAR(t) = share of genuine pairs with s ≥ t,   FNMR = 1 − TAR
 */
import { ConfigError, MagfaceError } from '../errors.ts';

/** Similarities of the two kinds of pair, each ascending. */
export interface Scores {
  readonly genuine: Float64Array | Float32Array;
  readonly impostor: Float64Array | Float32Array;
}

/** One point of the curve. */
export interface OperatingPoint {
  /** The requested rate. */
  readonly far: number;
  /** Accept when the similarity is this or more: the lowest value that keeps FAR at or under `far`. */
  readonly threshold: number;
  /** Share of genuine pairs accepted. */
  readonly tar: number;
}

/**
 * @param similarities - (P) one per pair
 * @param same - (P) 1 for genuine pairs, 0 for impostors
 * @throws {MagfaceError} `evaluation_impossible` if one of the two kinds is missing
 */
export function splitScores(similarities: Float64Array | Float32Array, same: Uint8Array): Scores {
  const genuine = picked(similarities, same, 1).sort();
  const impostor = picked(similarities, same, 0).sort();
  if (genuine.length === 0 || impostor.length === 0) {
    const missing = genuine.length === 0 ? 'genuine (label 1)' : 'impostor (label 0)';
    throw new MagfaceError('evaluation_impossible', {
      expected: 'pairs of both kinds',
      problem: `none of the ${same.length} pairs is ${missing}`,
      remedy: 'add some, because error rates need both',
    });
  }
  return { genuine, impostor };
}

/** The values with one label. A plain loop, because filter() would box millions of values. */
function picked(values: Float64Array | Float32Array, same: Uint8Array, label: 0 | 1): Float64Array | Float32Array {
  let count = 0;
  for (let i = 0; i < same.length; i++) if (same[i] === label) count++;
  const chosen = values instanceof Float32Array ? new Float32Array(count) : new Float64Array(count);
  for (let i = 0, k = 0; i < same.length; i++) if (same[i] === label) chosen[k++] = values[i]!;
  return chosen;
}

/** @returns how many of the ascending `sorted` lie below `value`. */
export function countBelow(sorted: Float64Array | Float32Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** @returns whether there are enough impostors to measure `far`: one false accept must not exceed it. */
export const canMeasure = (far: number, impostors: number): boolean => far * impostors > 1 - 1e-9;

/**
 * The exact operating point at a false accept rate.
 *
 * @throws {MagfaceError} `evaluation_impossible` if there are fewer than 1 / far impostors
 */
export function pointAtFar({ genuine, impostor }: Scores, far: number): OperatingPoint {
  if (!(far > 0 && far < 1))
    throw new ConfigError('far', {
      expected: 'a rate between 0 and 1',
      received: far,
      remedy: 'use 0.001, for example',
    });
  if (!canMeasure(far, impostor.length)) {
    throw new MagfaceError('evaluation_impossible', {
      expected: `at least ${Math.ceil(1 / far - 1e-6)} impostor pairs for a rate of ${far}`,
      received: impostor.length,
      remedy: 'add pairs or use a higher rate',
    });
  }
  const accepted = Math.floor(far * impostor.length + 1e-9); // 0.1 * 30 is a little more than 3
  const threshold = nextAbove(impostor[impostor.length - 1 - accepted]!);
  return { far, threshold, tar: tarAt(genuine, threshold) };
}

/**
 * The official rule for IJB: the corner of the ROC curve with the nearest FAR, without interpolation; of two equally near,
 * the one that accepts more. Points inside a straight run are dropped, as in scikit-learn.
 *
 * @returns the TAR at each rate, however few the impostors
 * @see official eval_ijb: roc_curve and the nearest FPR
 */
export function nearestTars({ genuine, impostor }: Scores, fars: readonly number[]): number[] {
  const best = fars.map(() => ({ distance: Number.POSITIVE_INFINITY, tar: 0 }));
  const consider = (fp: number, tp: number): void => {
    fars.forEach((far, i) => {
      const distance = Math.abs(fp / impostor.length - far);
      if (distance <= best[i]!.distance) best[i] = { distance, tar: tp / genuine.length };
    });
  };
  consider(0, 0);
  // Curve points (accepted impostors, accepted genuine) by falling threshold; each is judged with the next one.
  let [g, i] = [genuine.length, impostor.length];
  let [lastFp, lastTp, fp, tp] = [-1, -1, -1, -1];
  while (g > 0 || i > 0) {
    const threshold = Math.max(genuine[g - 1] ?? Number.NEGATIVE_INFINITY, impostor[i - 1] ?? Number.NEGATIVE_INFINITY);
    while (g > 0 && genuine[g - 1] === threshold) g--;
    while (i > 0 && impostor[i - 1] === threshold) i--;
    const [nextFp, nextTp] = [impostor.length - i, genuine.length - g];
    const straight = lastFp >= 0 && nextFp - fp === fp - lastFp && nextTp - tp === tp - lastTp;
    if (fp >= 0 && !straight) consider(fp, tp);
    [lastFp, lastTp, fp, tp] = [fp, tp, nextFp, nextTp];
  }
  consider(fp, tp);
  return best.map(({ tar }) => tar);
}

/** @returns exact points at logarithmically spaced rates, from one false accept (or `lowest`) to 1 − ε. */
export function rocCurve(scores: Scores, points = 120, lowest = 1e-6): OperatingPoint[] {
  const first = Math.log10(Math.max(lowest, 1 / scores.impostor.length));
  const rates = Array.from({ length: points }, (_, i) => 10 ** (first * (1 - i / points)));
  return rates.map((far) => pointAtFar(scores, far));
}

/** @returns the share of the ascending genuine similarities that a threshold accepts. */
export const tarAt = (genuine: Float64Array | Float32Array, threshold: number): number =>
  1 - countBelow(genuine, threshold) / genuine.length;

/** @returns the chance that a genuine pair is more alike than an impostor pair, ties counted half. */
export function areaUnderRoc({ genuine, impostor }: Scores): number {
  let [wins, below, notAbove] = [0, 0, 0];
  for (const score of genuine) {
    while (below < impostor.length && impostor[below]! < score) below++;
    while (notAbove < impostor.length && impostor[notAbove]! <= score) notAbove++;
    wins += (below + notAbove) / 2;
  }
  return wins / (genuine.length * impostor.length);
}

/** @returns the rate at which false accepts and false rejects are equal: their mean where they are closest. */
export function equalErrorRate({ genuine, impostor }: Scores): number {
  let [best, rate] = [Number.POSITIVE_INFINITY, 1];
  let [g, i] = [0, 0]; // pairs below a rising threshold, which is each score of either kind in turn
  for (;;) {
    const [far, fnmr] = [1 - i / impostor.length, g / genuine.length];
    // In integers, since rounding would decide between two equally close places.
    const apart = (impostor.length - i) * genuine.length - g * impostor.length;
    if (Math.abs(apart) < best) [best, rate] = [Math.abs(apart), (far + fnmr) / 2];
    if (apart <= 0) return rate; // they only diverge from here on
    const threshold = Math.min(genuine[g] ?? Number.POSITIVE_INFINITY, impostor[i] ?? Number.POSITIVE_INFINITY);
    while (g < genuine.length && !(genuine[g]! > threshold)) g++;
    while (i < impostor.length && !(impostor[i]! > threshold)) i++;
  }
}

/** @returns the smallest float64 above a finite value: a threshold that refuses this score and no higher one. */
export function nextAbove(value: number): number {
  if (value === 0) return Number.MIN_VALUE;
  const float = new Float64Array([value]);
  const bits = new BigInt64Array(float.buffer);
  bits[0]! += value > 0 ? 1n : -1n;
  return float[0]!;
}
