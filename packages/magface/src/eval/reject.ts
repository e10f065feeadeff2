/**
 * Error versus reject, also called error versus discard (EDC): FNMR at a fixed FMR after the pairs of lowest quality
 * are rejected. A good quality measure makes the curve fall fast.
 *
 * One definition holds for every curve here. The quality of a pair is the lower of its two faces'. At rate r the
 * ⌊r · P⌋ pairs of lowest quality are rejected, genuine and impostor alike; pairs of equal quality are one step
 * (`reject-points.ts`). Then the rule sets the threshold on the remaining pairs:
 *
 *     official: of n impostors left, the threshold is the ⌊…⌊(n − 1)/10⌋…/10⌋-th most alike, one division a decade of FMR
 *     exact:    the threshold accepts ⌊fmr · n⌋ of the impostors left
 *     fixed:    the exact threshold of all pairs, kept at every rate, as in ISO/IEC 29794-1
 *     start:    the threshold at which a given share of the genuine pairs is refused without rejection, kept at every rate
 *
 * A rate is a share of all pairs; of the genuine pairs, with the impostors of as low a quality; or of the faces (templates),
 * each of which takes all its pairs along.
 *
 * The two baselines follow the same rule at the same rates:
 *
 *     chance:   the curve of a quality that is the same for all pairs. It is flat under `exact` and `fixed`; under
 *               `official` it has small teeth, since that rule rounds the number of impostors down.
 *     oracle:   a measure that predicts errors but not labels: it rejects the same share of genuine and of impostor
 *               pairs, of the genuine ones those first that chance's threshold refuses, of the impostors any:
 *               FNMR = max(0, (E − r · G) / (G − r · G)), E of G genuine pairs refused.
 *
 * A curve may still fall below the oracle, when its measure turns away more genuine than impostor pairs, or (under
 * `exact` and `official`) the impostors most alike, which lowers the threshold: the pairs left at each rate tell.
 *
 * @see official inference/eval_quality; Grother and Tabassi, "Performance of Biometric Quality Measures", 2007; Schlett et
 * al., "Considerations on the Evaluation of Biometric Quality Assessment Algorithms", 2023
 */
import { ConfigError, MagfaceError, ShapeError } from '../errors.ts';
import { type RejectPoint, type RejectUnit, rejectMeter, type ThresholdRule } from './reject-points.ts';
import { pointAtFar, type Scores, splitScores } from './roc.ts';
import type { Pairs } from './verification.ts';

/** Options of error-versus-reject curves. */
export interface RejectOptions {
  /** False match rate. @default 0.001 */
  readonly fmr?: number;
  /** @default 'exact', or 'start' with `startFnmr` */
  readonly threshold?: ThresholdRule;
  /** FNMR without rejection, in (0, 1): sets the threshold in place of `fmr`. @default none */
  readonly startFnmr?: number | undefined;
  /** What a reject rate is a share of. @default 'pairs' */
  readonly unit?: RejectUnit | undefined;
  /** Quality of each face in the pairs, for the unit `templates`. A bootstrap keeps their order and their number. */
  readonly faces?: ArrayLike<number> | undefined;
  /** Share of rejected pairs, each in [0, 1). @default 0, 0.05, …, 0.95 */
  readonly rejectRates?: readonly number[];
  /** The partial area ends at this reject rate. @default 0.3, or the last rate if that is lower */
  readonly paucLimit?: number;
}

/** A partial area: its limit, and the figures of {@link RejectCurve} up to there. */
export interface PartialArea {
  readonly paucLimit: number;
  readonly pauc: number | null;
  readonly paucArea: number | null;
  readonly paucRelative: number | null;
}

/** An error-versus-reject curve. */
export interface RejectCurve extends PartialArea {
  /** As asked for; with a start FNMR the FMR measured at its threshold, over all pairs. */
  readonly fmr: number;
  readonly threshold: ThresholdRule;
  readonly startFnmr?: number;
  readonly unit: RejectUnit;
  readonly rejectRates: readonly number[];
  /** One per reject rate; null if too few impostors are left for the FMR. */
  readonly fnmr: readonly (number | null)[];
  /** Cosine that a genuine pair must exceed, one per reject rate. */
  readonly thresholds: readonly (number | null)[];
  /** Genuine pairs left, one per reject rate: integer unless the rate splits pairs of equal quality. */
  readonly genuineLeft: readonly number[];
  /** Impostor pairs left, likewise. */
  readonly impostorLeft: readonly number[];
  /** FNMR of all pairs, without rejection. */
  readonly fnmrOfAll: number | null;
  /** Mean FNMR from the first reject rate to `paucLimit`, by the trapezoid rule; null if part of it is unknown. */
  readonly pauc: number | null;
  /** The area itself: `pauc` times the width of its range, as in the literature (there in units of 10⁻³). */
  readonly paucArea: number | null;
  /** `pauc / fnmrOfAll`: 1 if rejecting gains nothing. It rates the quality alone; `pauc` also rates the recogniser. */
  readonly paucRelative: number | null;
  readonly paucLimit: number;
  /** The same to 20 % and to 30 % rejected, the limits of the literature, as far as the rates go. */
  readonly areas: readonly PartialArea[];
  /** Why a rate is null, one sentence each. */
  readonly limits: readonly string[];
}

/** The rates of the official script: numpy's arange(0, 0.98, 0.05). */
export const officialRejectRates: readonly number[] = Array.from({ length: 20 }, (_, i) => i * 0.05);

/** @returns (P) the lower of the two rows' qualities for each pair. */
export const pairQuality = (quality: ArrayLike<number>, { left, right }: Pairs): Float64Array =>
  Float64Array.from(left, (row, i) => Math.min(quality[row]!, quality[right[i]!]!));

/**
 * Computes FNMR at a fixed FMR as the pairs of lowest quality are rejected step by step.
 *
 * @param similarities - (P) cosine
 * @param same - (P) 1 for genuine pairs
 * @param quality - (P) pair quality, any scale, higher is better: see {@link pairQuality}
 * @throws {MagfaceError} `evaluation_impossible` if all pairs together have too few impostors for the rate
 */
export function errorVersusReject(
  similarities: Float64Array,
  same: Uint8Array,
  quality: Float64Array,
  options: RejectOptions = {},
): RejectCurve {
  const curve = rejectCurves(similarities, same, quality, options)(new Uint8Array(same.length).fill(1));
  if (curve.fnmrOfAll === null) throwTooFew(splitScores(similarities, same), options);
  return curve;
}

/**
 * The same for integer weights of the pairs, as a bootstrap needs.
 *
 * @throws {ConfigError} if the rates do not rise or are outside [0, 1)
 * @throws {ShapeError} if a pair's quality is missing or not a number
 */
export function rejectCurves(
  similarities: Float64Array,
  same: Uint8Array,
  quality: Float64Array,
  options: RejectOptions = {},
): (weights: ArrayLike<number>) => RejectCurve {
  const settings = settingsOf(options);
  expectQualities(quality, same);
  const meter = rejectMeter(similarities, same, quality, options.faces);
  // The point of all pairs comes first, whether or not it is among the rates.
  const rejectRates = [0, ...settings.rejectRates];
  return (weights) => {
    const [all, ...points] = meter(weights, { ...settings, rejectRates });
    return curveOf(points, all!, settings);
  };
}

/** Baselines for a quality measure. */
export interface RejectBaselines {
  /** Rejects pairs at random. */
  readonly random: RejectCurve;
  /** Rejects errors first, as far as the share of genuine pairs allows. */
  readonly oracle: RejectCurve;
}

/** Computes both baselines by the rule and rates of a curve. */
export function rejectBaselines(
  similarities: Float64Array,
  same: Uint8Array,
  options: RejectOptions = {},
): RejectBaselines {
  const settings = settingsOf(options);
  const faces = options.faces && new Float64Array(options.faces.length);
  const random = errorVersusReject(similarities, same, new Float64Array(same.length), { ...options, faces });
  const { genuine } = splitScores(similarities, same);
  const pairs = same.length;
  const points = random.rejectRates.map((rate, i): RejectPoint => {
    const limit = random.thresholds[i]!;
    const gone = Math.floor(rate * pairs + 1e-9);
    const errors = limit === null ? 0 : genuine.filter((similarity) => similarity <= limit).length;
    const left = Math.max(0, errors * pairs - genuine.length * gone) / (genuine.length * (pairs - gone));
    return {
      limit,
      fmr: null,
      fnmr: limit === null ? null : left,
      genuineLeft: random.genuineLeft[i]!,
      impostorLeft: random.impostorLeft[i]!,
    };
  });
  return { random, oracle: curveOf(points, { fnmr: random.fnmrOfAll, fmr: random.fmr }, settings) };
}

/** @throws {MagfaceError} `evaluation_impossible` with the pairs needed */
function throwTooFew(scores: Scores, { fmr, startFnmr }: RejectOptions): void {
  if (startFnmr === undefined) {
    pointAtFar(scores, fmr ?? 0.001);
    return;
  }
  throw new MagfaceError('evaluation_impossible', {
    expected: `at least ${Math.ceil(1 / startFnmr - 1e-6)} genuine pairs of different similarity for a start FNMR of ${startFnmr}`,
    received: scores.genuine.length,
    remedy: 'ask for a higher rate',
  });
}

interface Settings {
  readonly fmr: number;
  readonly threshold: ThresholdRule;
  readonly startFnmr?: number;
  readonly unit: RejectUnit;
  readonly rejectRates: readonly number[];
  readonly paucLimit: number;
}

function settingsOf(options: RejectOptions): Settings {
  const { fmr = 0.001, startFnmr, unit = 'pairs', rejectRates = officialRejectRates } = options;
  const { threshold = startFnmr === undefined ? 'exact' : 'start' } = options;
  if (
    (threshold === 'start') !== (startFnmr !== undefined) ||
    (startFnmr !== undefined && !(startFnmr > 0 && startFnmr < 1))
  )
    throw new ConfigError('startFnmr', {
      expected: 'a start FNMR between 0 and 1 with the threshold rule "start" alone',
      received: `${startFnmr} with "${threshold}"`,
      remedy: 'change one of the two',
    });
  if (unit === 'templates' && options.faces === undefined)
    throw new ConfigError('faces', {
      expected: 'the quality of each face to reject by templates',
      received: 'none',
      remedy: 'pass them as `faces`',
    });
  if (
    rejectRates.length === 0 ||
    rejectRates.some((rate, i) => !(rate >= 0 && rate < 1 && rate > (rejectRates[i - 1] ?? -1)))
  )
    throw new ConfigError('rejectRates', {
      expected: 'rising reject rates from 0 to below 1',
      received: rejectRates.join(', '),
      remedy: 'sort them',
    });
  const { paucLimit = Math.min(0.3, rejectRates.at(-1)!) } = options;
  return { fmr, threshold, ...(startFnmr !== undefined && { startFnmr }), unit, rejectRates, paucLimit };
}

function curveOf(
  points: readonly RejectPoint[],
  all: Pick<RejectPoint, 'fnmr' | 'fmr'>,
  settings: Settings,
): RejectCurve {
  const { rejectRates, paucLimit, startFnmr } = settings;
  const fmr = startFnmr === undefined ? settings.fmr : (all.fmr ?? 0);
  const fnmr = points.map((point) => point.fnmr);
  const unknown = rejectRates.filter((_, i) => fnmr[i] === null);
  const area = (limit: number): PartialArea => areaTo(limit, { rejectRates, fnmr, fnmrOfAll: all.fnmr });
  return {
    ...settings,
    fmr,
    fnmr,
    thresholds: points.map((point) => point.limit),
    genuineLeft: points.map((point) => point.genuineLeft),
    impostorLeft: points.map((point) => point.impostorLeft),
    fnmrOfAll: all.fnmr,
    ...area(paucLimit),
    areas: literatureLimits.filter((limit) => limit <= rejectRates.at(-1)!).map(area),
    limits:
      unknown.length === 0
        ? []
        : [
            `${startFnmr === undefined ? `FMR ${fmr}` : 'FNMR'} cannot be measured with ${unknown.map(asPercent).join(', ')} rejected: too few pairs are left.`,
          ],
  };
}

/** Where the literature ends its partial areas. */
const literatureLimits = [0.2, 0.3] as const;

function areaTo(
  paucLimit: number,
  { rejectRates, fnmr, fnmrOfAll }: Pick<RejectCurve, 'rejectRates' | 'fnmr' | 'fnmrOfAll'>,
): PartialArea {
  const pauc = meanTo(paucLimit, rejectRates, fnmr);
  return {
    paucLimit,
    pauc,
    paucArea: pauc === null ? null : pauc * (paucLimit - rejectRates[0]!),
    paucRelative: pauc === null || !fnmrOfAll ? null : pauc / fnmrOfAll,
  };
}

/** @returns `5 %`, `1.5 %`: with as many digits as the rate has */
export const asPercent = (rate: number): string => `${Number((100 * rate).toPrecision(6))} %`;

/** Mean over the rates up to a limit, by the trapezoid rule. */
function meanTo(limit: number, rates: readonly number[], fnmr: readonly (number | null)[]): number | null {
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

function expectQualities(quality: Float64Array, same: Uint8Array): void {
  if (quality.length !== same.length) {
    throw new ShapeError({
      expected: 'one quality per pair',
      received: `${quality.length} for ${same.length} pairs`,
      remedy: 'use files of the same list',
    });
  }
  const wrong = quality.findIndex((value) => Number.isNaN(value));
  if (wrong >= 0)
    throw new ShapeError({
      expected: `a number as the quality of pair ${wrong + 1}`,
      received: 'NaN',
      remedy: 'measure it again or remove the pair',
    });
}
