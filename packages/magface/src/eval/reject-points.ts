/**
 * One point of an error-versus-reject curve: the pairs left after a share is rejected, and their FNMR.
 *
 * Pairs of equal quality are one step. If the rate splits a step of t pairs so that s of them stay, each stays with
 * probability s / t, and every count below is its expectation over that lottery:
 *
 *     left(x) = #{x of higher quality} + s / t · #{x of this quality},   x = genuine, impostor, genuine and refused …
 *     FNMR    = left(genuine and refused) / left(genuine)
 *
 * FNMR is this ratio of two expectations, not the expectation of the ratio. The latter is undefined if the lottery may
 * leave no genuine pair, and a threshold from the order statistics of a random subset depends on the subset's size.
 * With the former, a constant quality gives the same threshold and FNMR at every rate.
 *
 * All counts are integer multiples of 1 / t, so a curve is bit-identical for any order of the pairs.
 */
import { ConfigError } from '../errors.ts';
import { canMeasure, countBelow, nextAbove } from './roc.ts';

/** How the threshold is found: `start` is that of a given FNMR without rejection, the others go by FMR at each reject rate. */
export type ThresholdRule = 'official' | 'exact' | 'fixed' | 'start';

/** What a reject rate is a share of: all pairs, genuine pairs, or the faces (templates) in the pairs. */
export type RejectUnit = 'pairs' | 'genuine' | 'templates';

/** Settings of a curve. */
export interface RejectSettings {
  readonly fmr: number;
  readonly threshold: ThresholdRule;
  /** With `start`. */
  readonly startFnmr?: number | undefined;
  readonly rejectRates: readonly number[];
  readonly unit?: RejectUnit | undefined;
}

/** One point at one reject rate. */
export interface RejectPoint {
  /** Cosine that a genuine pair must exceed; null if too few impostors are left for the FMR. */
  readonly limit: number | null;
  /** Null without a limit, or if no genuine pair is left. */
  readonly fnmr: number | null;
  /** Share of the impostors left that exceed the limit; null without a limit, or if none is left. */
  readonly fmr: number | null;
  /** Expected numbers of pairs left; integer unless the rate splits pairs of equal quality. */
  readonly genuineLeft: number;
  readonly impostorLeft: number;
}

/**
 * Sorts the pairs once and measures them any number of times.
 *
 * @param similarities - (P) cosine
 * @param same - (P) 1 for genuine pairs
 * @param quality - (P) higher is better
 * @param faces - quality of each face in the pairs, in any order; needed to reject by templates
 * @returns a function from (P) integer weights, one per pair, to one point per reject rate
 * @throws {ConfigError} if the official rule is used with a rate that is not a power of ten
 */
export function rejectMeter(
  similarities: Float64Array,
  same: Uint8Array,
  quality: Float64Array,
  faces: ArrayLike<number> = [],
): (weights: ArrayLike<number>, settings: RejectSettings) => RejectPoint[] {
  const step = stepsOf(quality);
  const count = step.reduce((most, of) => Math.max(most, of), 0) + 1;
  const templates = countTemplates(step, quality, { faces, count });
  const falling = Uint32Array.from(similarities.keys()).sort((a, b) => similarities[b]! - similarities[a]!);
  const impostors = falling.filter((pair) => same[pair] !== 1);
  const refusedFirst = falling.filter((pair) => same[pair] === 1).reverse();
  return (weights, { fmr, threshold, startFnmr, rejectRates, unit = 'pairs' }) => {
    const steps = countSteps(step, same, weights, count);
    const limitOf = (cut: Cut): number | null => {
      if (threshold === 'start') return limitRefusing((startFnmr ?? 0) * cut.genuine + 1e-9 * cut.size, cut);
      const passing = threshold === 'official' ? officialPassing(cut, fmr) : exactPassing(cut, fmr);
      return passing === null ? null : limitPassing(passing, cut);
    };
    /** The most alike rejected impostor: the one that brings the count above `passing`. */
    const limitPassing = (passing: number, cut: Cut): number | null => {
      let passed = 0;
      for (const pair of impostors) {
        passed += weights[pair]! * unitsOf(step[pair]!, cut);
        if (passed > passing) return similarities[pair]!;
      }
      return null;
    };
    /** The highest genuine similarity up to which no more than `most` are refused; null if one would be too many. */
    const limitRefusing = (most: number, cut: Cut): number | null => {
      let [units, limit]: [number, number | null] = [0, null];
      for (let k = 0; k < refusedFirst.length; ) {
        const score = similarities[refusedFirst[k]!]!;
        for (; k < refusedFirst.length && similarities[refusedFirst[k]!] === score; k++)
          units += weights[refusedFirst[k]!]! * unitsOf(step[refusedFirst[k]!]!, cut);
        if (units > most) return limit;
        if (units > 0) limit = score;
      }
      return limit;
    };
    const accepted = (limit: number, cut: Cut): number => {
      let units = 0;
      for (const pair of impostors) {
        if (similarities[pair]! <= limit) break;
        units += weights[pair]! * unitsOf(step[pair]!, cut);
      }
      return units;
    };
    const refused = (limit: number, cut: Cut): number => {
      let units = 0;
      for (const pair of refusedFirst) {
        if (similarities[pair]! > limit) break;
        units += weights[pair]! * unitsOf(step[pair]!, cut);
      }
      return units;
    };
    const isFixed = threshold === 'fixed' || threshold === 'start';
    const fixed = isFixed ? limitOf(cutAt(steps, 0, byPairs(steps))) : undefined;
    const positions = { pairs: byPairs, genuine: byGenuine, templates: () => templates }[unit](steps);
    return rejectRates.map((rate) => {
      const cut = cutAt(steps, rate, positions);
      const limit = fixed === undefined ? limitOf(cut) : fixed;
      return {
        limit,
        fnmr: limit === null || cut.genuine === 0 ? null : refused(limit, cut) / cut.genuine,
        fmr: limit === null || cut.impostor === 0 ? null : accepted(limit, cut) / cut.impostor,
        genuineLeft: cut.genuine / cut.size,
        impostorLeft: cut.impostor / cut.size,
      };
    });
  };
}

/** (P) the step of each pair: the number of distinct lower qualities. */
function stepsOf(quality: Float64Array): Uint32Array {
  const order = Uint32Array.from(quality.keys()).sort((a, b) => quality[a]! - quality[b]!);
  const step = new Uint32Array(quality.length);
  for (let i = 1; i < order.length; i++)
    step[order[i]!] = step[order[i - 1]!]! + (quality[order[i]!] === quality[order[i - 1]!] ? 0 : 1);
  return step;
}

/** Pairs of lower quality than each step, from the lowest on; the last entry counts all pairs. */
interface Steps {
  readonly genuine: Float64Array;
  readonly impostor: Float64Array;
}

function countSteps(step: Uint32Array, same: Uint8Array, weights: ArrayLike<number>, steps: number): Steps {
  const [genuine, impostor] = [new Float64Array(steps + 1), new Float64Array(steps + 1)];
  for (let pair = 0; pair < step.length; pair++)
    (same[pair] === 1 ? genuine : impostor)[step[pair]! + 1]! += weights[pair]!;
  for (let i = 1; i <= steps; i++) {
    genuine[i]! += genuine[i - 1]!;
    impostor[i]! += impostor[i - 1]!;
  }
  return { genuine, impostor };
}

/** The cut of a reject rate through the steps. Counts are in units of 1 / `size` pairs. */
interface Cut {
  /** Steps below are rejected, steps above stay. */
  readonly step: number;
  /** t: pairs (genuine pairs, faces) of this step. */
  readonly size: number;
  /** s: how many of them stay. */
  readonly staying: number;
  readonly genuine: number;
  readonly impostor: number;
}

/** What is rejected, step by step: pairs, genuine pairs or faces. */
interface Positions {
  /** How many go before each step; the last entry counts all. */
  readonly before: Float64Array;
  /** How many have just the quality of the step. */
  readonly at: Float64Array;
}

const byPairs = ({ genuine, impostor }: Steps): Positions =>
  positionsOf(genuine.map((count, i) => count + impostor[i]!));
const byGenuine = ({ genuine }: Steps): Positions => positionsOf(genuine);
const positionsOf = (before: Float64Array): Positions => ({
  before,
  at: before.subarray(1).map((count, i) => count - before[i]!),
});

/** Faces that are the worse one of no pair stand between two steps: their rejection takes no further pair away. */
function countTemplates(
  step: Uint32Array,
  quality: Float64Array,
  { faces, count }: { readonly faces: ArrayLike<number>; readonly count: number },
): Positions {
  const sorted = Float64Array.from(faces).sort();
  const qualityOf = new Float64Array(count);
  step.forEach((of, pair) => {
    qualityOf[of] = quality[pair]!;
  });
  const before = Float64Array.from([...qualityOf.map((value) => countBelow(sorted, value)), sorted.length]);
  const upTo = qualityOf.map((value) => countBelow(sorted, nextAbove(value)));
  return { before, at: upTo.map((all, i) => all - before[i]!) };
}

/** Rejects ⌊rate · all⌋. The small addend corrects products such as 0.29 · 100, which round to below 29. */
function cutAt({ genuine, impostor }: Steps, rate: number, { before, at }: Positions): Cut {
  const gone = Math.min(before.at(-1)! - 1, Math.floor(rate * before.at(-1)! + 1e-9));
  let [low, high] = [0, genuine.length - 2]; // the last step that begins at or before the cut
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (before[middle]! <= gone) low = middle;
    else high = middle - 1;
  }
  const [size, staying] = [Math.max(1, at[low]!), Math.max(0, at[low]! - (gone - before[low]!))];
  const left = (counts: Float64Array): number =>
    (counts.at(-1)! - counts[low + 1]!) * size + (counts[low + 1]! - counts[low]!) * staying;
  return { step: low, size, staying, genuine: left(genuine), impostor: left(impostor) };
}

const unitsOf = (step: number, { step: cut, size, staying }: Cut): number =>
  step > cut ? size : step === cut ? staying : 0;

/** Units of impostors that may pass; null if one false match exceeds the rate. */
function exactPassing({ impostor, size }: Cut, fmr: number): number | null {
  return canMeasure(fmr, impostor / size) ? fmr * impostor + 1e-9 * size : null;
}

/** The official order statistic, from the most alike; null below the required 101 impostors (at 0.001). */
function officialPassing({ impostor, size }: Cut, fmr: number): number | null {
  const decades = Math.round(-Math.log10(fmr));
  if (decades < 1 || Math.abs(10 ** -decades / fmr - 1) > 1e-9) {
    throw new ConfigError('fmr', {
      expected: '0.1, 0.01, 0.001 … with official thresholds',
      received: fmr,
      remedy: 'use exact thresholds',
    });
  }
  let index = impostor / size - 1;
  for (let decade = 0; decade < decades; decade++) {
    if (index <= 0) return null;
    index = Math.floor(index / 10);
  }
  return index * size;
}
