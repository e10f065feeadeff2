/**
 * Error rates from similarities, exactly: thresholds are order statistics of the scores that were measured, with no
 * grid and no interpolation.
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
  /** The rate that was asked for. */
  readonly far: number;
  /** Accept when the similarity is this or more: the lowest value that keeps FAR at or under `far`. */
  readonly threshold: number;
  /** Share of genuine pairs accepted. */
  readonly tar: number;
}

/**
 * @param similarities - (P) one a pair
 * @param same - (P) 1 for genuine pairs, 0 for impostors
 * @throws {MagfaceError} `evaluation_impossible` when one of the two kinds is missing
 */
export function splitScores(similarities: Float64Array | Float32Array, same: Uint8Array): Scores {
  const genuine = similarities.filter((_, i) => same[i] === 1).sort();
  const impostor = similarities.filter((_, i) => same[i] !== 1).sort();
  if (genuine.length === 0 || impostor.length === 0) {
    const missing = genuine.length === 0 ? 'genuine (label 1)' : 'impostor (label 0)';
    throw new MagfaceError(
      'evaluation_impossible',
      `Expected pairs of both kinds but received no ${missing} pair among ${same.length}: error rates need both.`,
    );
  }
  return { genuine, impostor };
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

/** @returns whether this many impostors can tell a rate of `far`: one false accept must weigh no more than it. */
export const canMeasure = (far: number, impostors: number): boolean => far * impostors > 1 - 1e-9;

/**
 * The exact operating point at a false accept rate.
 *
 * @throws {MagfaceError} `evaluation_impossible` when there are fewer than 1 / far impostors
 */
export function pointAtFar({ genuine, impostor }: Scores, far: number): OperatingPoint {
  if (!(far > 0 && far < 1)) throw new ConfigError('far', `Expected a rate between 0 and 1 but received ${far}.`);
  if (!canMeasure(far, impostor.length)) {
    throw new MagfaceError(
      'evaluation_impossible',
      `Expected at least ${Math.ceil(1 / far - 1e-6)} impostor pairs for a rate of ${far} but received ${impostor.length}: add pairs or ask for a higher rate.`,
    );
  }
  const accepted = Math.floor(far * impostor.length + 1e-9); // 0.1 * 30 is a little more than 3
  const threshold = nextAbove(impostor[impostor.length - 1 - accepted]!);
  return { far, threshold, tar: tarAt(genuine, threshold) };
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

/** @returns the rate at which false accepts and false rejects are alike: their mean where they come closest. */
export function equalErrorRate({ genuine, impostor }: Scores): number {
  let [best, rate] = [Number.POSITIVE_INFINITY, 1];
  for (const threshold of genuine) {
    const far = 1 - countBelow(impostor, threshold) / impostor.length;
    const fnmr = countBelow(genuine, threshold) / genuine.length;
    if (Math.abs(far - fnmr) < best) [best, rate] = [Math.abs(far - fnmr), (far + fnmr) / 2];
  }
  return rate;
}

/** The smallest float64 above a finite value. */
function nextAbove(value: number): number {
  if (value === 0) return Number.MIN_VALUE;
  const float = new Float64Array([value]);
  const bits = new BigInt64Array(float.buffer);
  bits[0]! += value > 0 ? 1n : -1n;
  return float[0]!;
}
