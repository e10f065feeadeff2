/**
 * Error versus reject: FNMR at a fixed FMR among what remains when the pairs of lowest quality are turned away. The
 * quality of a pair is the lower of its two faces'; genuine and impostor pairs are turned away together. A good measure
 * of quality makes the curve fall fast.
 *
 *     official: of n impostors left, the threshold is the ⌊…⌊(n − 1)/10⌋…/10⌋-th most alike, one division a decade of FMR
 *     exact:    the threshold lets ⌊fmr · n⌋ of the impostors left pass
 *     fixed:    the exact threshold of all pairs, kept at every rate, as ISO/IEC 29794-1 has it
 *
 * @see official inference/eval_quality; Grother and Tabassi, "Performance of Biometric Quality Measures", 2007
 */
import { ConfigError, ShapeError } from '../errors.ts';
import { canMeasure, countBelow, pointAtFar, type Scores, splitScores } from './roc.ts';
import type { Pairs } from './verification.ts';

/** How the threshold is found at each reject rate. */
export type ThresholdRule = 'official' | 'exact' | 'fixed';

/** What to reject and at which rate to measure. */
export interface RejectOptions {
  /** False match rate. @default 0.001 */
  readonly fmr?: number;
  /** @default 'exact' */
  readonly threshold?: ThresholdRule;
  /** Share of pairs turned away, each in [0, 1). @default 0, 0.05, …, 0.95 */
  readonly rejectRates?: readonly number[];
  /** The partial area ends at this reject rate. @default 0.3 */
  readonly paucLimit?: number;
}

/** One curve. */
export interface RejectCurve {
  readonly fmr: number;
  readonly threshold: ThresholdRule;
  readonly rejectRates: readonly number[];
  /** One a reject rate; null where the impostors left are too few to tell FMR. */
  readonly fnmr: readonly (number | null)[];
  /** Cosine that a genuine pair must exceed, one a reject rate. */
  readonly thresholds: readonly (number | null)[];
  /** Mean FNMR from the first reject rate to `paucLimit`, by the trapezoid rule; null when part of it is unknown. */
  readonly pauc: number | null;
  readonly paucLimit: number;
  /** Why a rate is null, in a sentence. */
  readonly limits: readonly string[];
}

/** The rates of the official script: numpy's arange(0, 0.98, 0.05). */
export const officialRejectRates: readonly number[] = Array.from({ length: 20 }, (_, i) => i * 0.05);

/** @returns (P) the lower of the two rows' qualities for each pair. */
export const pairQuality = (quality: ArrayLike<number>, { left, right }: Pairs): Float64Array =>
  Float64Array.from(left, (row, i) => Math.min(quality[row]!, quality[right[i]!]!));

/**
 * @param similarities - (P) cosine
 * @param same - (P) 1 for genuine pairs
 * @param quality - (P) of the pair, any scale, higher is better: see {@link pairQuality}
 * @throws {MagfaceError} `evaluation_impossible` when all pairs together hold too few impostors for the rate
 */
export function errorVersusReject(
  similarities: Float64Array,
  same: Uint8Array,
  quality: Float64Array,
  options: RejectOptions = {},
): RejectCurve {
  const { fmr = 0.001, threshold = 'exact', rejectRates = officialRejectRates, paucLimit = 0.3 } = options;
  expectRates(rejectRates, quality, same);
  const all = splitScores(similarities, same);
  const fixed = threshold === 'official' ? officialLimit(all.impostor, fmr) : exactLimit(all.impostor, fmr);
  if (fixed === null) pointAtFar(all, fmr); // throws the sentence that says how many it takes
  const order = Uint32Array.from(quality.keys()).sort((a, b) => quality[a]! - quality[b]! || a - b);
  const points = rejectRates.map((rate) => {
    const left = remaining(similarities, same, order.subarray(Math.floor(rate * same.length)));
    const limit =
      threshold === 'fixed' ? fixed : (threshold === 'official' ? officialLimit : exactLimit)(left.impostor, fmr);
    return { limit, fnmr: limit === null || left.genuine.length === 0 ? null : shareAtOrBelow(left.genuine, limit) };
  });
  return curve(points, { fmr, threshold, rejectRates, paucLimit });
}

/** What any measure of quality lies between: turning pairs away by chance, and turning the errors away first. */
export interface RejectBaselines {
  /** Expected FNMR when chance decides: that of all pairs, at every rate. */
  readonly random: RejectCurve;
  /** FNMR when the falsely rejected genuine pairs go first; no order at this threshold is better. */
  readonly oracle: RejectCurve;
}

/** The two baselines at the threshold of all pairs, by the rule's own way when it is `official`, else exact. */
export function rejectBaselines(
  similarities: Float64Array,
  same: Uint8Array,
  options: RejectOptions = {},
): RejectBaselines {
  const { fmr = 0.001, threshold = 'exact', rejectRates = officialRejectRates, paucLimit = 0.3 } = options;
  const all = splitScores(similarities, same);
  const limit = (threshold === 'official' ? officialLimit : exactLimit)(all.impostor, fmr);
  if (limit === null) pointAtFar(all, fmr);
  const genuine = all.genuine.length;
  const errors = Math.round(shareAtOrBelow(all.genuine, limit ?? 0) * genuine);
  const settings = { fmr, threshold: 'fixed', rejectRates, paucLimit } as const;
  const oracle = rejectRates.map((rate) => {
    const gone = Math.min(errors, Math.floor(rate * same.length));
    return { limit, fnmr: gone === genuine ? 0 : (errors - gone) / (genuine - gone) };
  });
  return {
    random: curve(
      rejectRates.map(() => ({ limit, fnmr: errors / genuine })),
      settings,
    ),
    oracle: curve(oracle, settings),
  };
}

interface Point {
  readonly limit: number | null;
  readonly fnmr: number | null;
}

function curve(points: readonly Point[], settings: Required<RejectOptions>): RejectCurve {
  const fnmr = points.map((point) => point.fnmr);
  const unknown = settings.rejectRates.filter((_, i) => fnmr[i] === null);
  return {
    ...settings,
    fnmr,
    thresholds: points.map((point) => point.limit),
    pauc: partialArea(settings.rejectRates, fnmr, settings.paucLimit),
    limits:
      unknown.length === 0
        ? []
        : [
            `Too few pairs are left to tell FMR ${settings.fmr} when ${unknown.map((rate) => `${Math.round(rate * 100)} %`).join(', ')} are rejected.`,
          ],
  };
}

/** The official order statistic, from the most alike; null below the 101 impostors (at 0.001) that it takes. */
function officialLimit(impostor: Scores['impostor'], fmr: number): number | null {
  const decades = Math.round(-Math.log10(fmr));
  if (decades < 1 || Math.abs(10 ** -decades / fmr - 1) > 1e-9) {
    throw new ConfigError(
      'fmr',
      `Expected 0.1, 0.01, 0.001 … for official thresholds but received ${fmr}: use exact ones.`,
    );
  }
  let index = impostor.length - 1;
  for (let decade = 0; decade < decades; decade++) {
    if (index <= 0) return null;
    index = Math.floor(index / 10);
  }
  return impostor[impostor.length - 1 - index]!;
}

/** The most alike impostor that must be refused; null when one false match weighs more than the rate. */
function exactLimit(impostor: Scores['impostor'], fmr: number): number | null {
  if (!canMeasure(fmr, impostor.length)) return null;
  return impostor[impostor.length - 1 - Math.floor(fmr * impostor.length + 1e-9)]!;
}

/** Share of genuine pairs that are no more alike than the limit. */
function shareAtOrBelow(genuine: Scores['genuine'], limit: number): number {
  let notAbove = countBelow(genuine, limit);
  while (notAbove < genuine.length && genuine[notAbove] === limit) notAbove++;
  return notAbove / genuine.length;
}

function remaining(similarities: Float64Array, same: Uint8Array, pairs: Uint32Array): Scores {
  const of = (label: number): Float64Array =>
    Float64Array.from(
      pairs.filter((pair) => same[pair] === label),
      (pair) => similarities[pair]!,
    ).sort();
  return { genuine: of(1), impostor: of(0) };
}

function partialArea(rates: readonly number[], fnmr: readonly (number | null)[], limit: number): number | null {
  const first = rates[0]!;
  let [area, reached] = [0, first];
  for (let i = 1; i < rates.length && reached < limit; i++) {
    const [x0, x1, y0, y1] = [rates[i - 1]!, rates[i]!, fnmr[i - 1], fnmr[i]];
    if (y0 == null || y1 == null) return null;
    const end = Math.min(x1, limit);
    const atEnd = y0 + ((y1 - y0) * (end - x0)) / (x1 - x0);
    area += ((y0 + atEnd) / 2) * (end - x0);
    reached = end;
  }
  return reached < limit - 1e-9 || limit <= first ? null : area / (limit - first);
}

function expectRates(rates: readonly number[], quality: Float64Array, same: Uint8Array): void {
  if (rates.length === 0 || rates.some((rate, i) => !(rate >= 0 && rate < 1) || (i > 0 && rate <= rates[i - 1]!))) {
    throw new ConfigError('rejectRates', `Expected rising reject rates in [0, 1) but received ${rates.join(', ')}.`);
  }
  if (quality.length !== same.length) {
    throw new ShapeError(`Expected one quality a pair but received ${quality.length} for ${same.length} pairs.`);
  }
  const wrong = quality.findIndex((value) => Number.isNaN(value));
  if (wrong >= 0) throw new ShapeError(`Expected a number as the quality of pair ${wrong + 1} but received NaN.`);
}
