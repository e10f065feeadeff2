/** Measures one model on one list of pairs: its report, and its figures on draws of people, for comparisons. */
import { type DrawOptions, drawPeople, thresholdFrom } from './bootstrap.ts';
import {
  type ComparedModel,
  compareModels,
  type Figure,
  type FigureComparison,
  knownInterval,
} from './compare-models.ts';
import { ratesByGroup } from './groups.ts';
import { identitiesOf, type PairIdentities } from './identities.ts';
import type { LoadedPairs } from './load-pairs.ts';
import { examplePairs, histogram, type PairReport, type RejectReport, viewHistogram } from './pair-report.ts';
import { errorVersusReject, type RejectCurve, type RejectOptions, rejectBaselines, rejectCurves } from './reject.ts';
import { canMeasure, rocCurve, splitScores } from './roc.ts';
import { decidePairs } from './verification.ts';
import { rocMeter, type WeightedRates } from './weighted-roc.ts';

/** Options for measuring a model. */
export interface MeasureOptions extends DrawOptions {
  /** @default 10 */
  readonly folds?: number;
  /** Pairs of each kind in `hardest`. @default 6 */
  readonly examples?: number;
  /** Rate, rule, rates and limit of the error-versus-reject curves. @default exact, at the strictest measurable rate */
  readonly reject?: RejectOptions;
  /** (P) each: other pair quality measures by name, to compare with magnitude. @default none */
  readonly measures?: Readonly<Record<string, Float64Array>>;
  /** Identities, so that models are compared on the same people. @default from image names and genuine pairs */
  readonly people?: PairIdentities;
}

/** A report with the figures for comparisons. */
export interface MeasuredModel extends ComparedModel {
  readonly report: PairReport;
  /** Identities, for the next model on the same pairs. */
  readonly people: PairIdentities;
}

/**
 * Measures one model on one list of pairs: all figures, curves, distributions and intervals of a report.
 *
 * @param model - its name in the report
 * @throws {MagfaceError} `evaluation_impossible` if there are fewer than ten impostors, or no genuine pairs
 */
export function measureModel(loaded: LoadedPairs, model: string, options: MeasureOptions = {}): MeasuredModel {
  const {
    folds = 10,
    examples = 6,
    measures = {},
    people = identitiesOf(loaded.rows, loaded.features.names),
  } = options;
  const { features, rows, similarities, same, quality } = loaded;
  const scores = splitScores(similarities, same);
  const rule = ruleFor(scores.impostor.length, options.reject);
  const { verification, official, cosine } = decidePairs(features, rows, { folds });
  const roc = rocCurve(scores);
  const qualities = Object.entries({ magnitude: quality, ...measures });
  const curves = qualities.map(([, measure]) => errorVersusReject(similarities, same, measure, rule));

  const headline = thresholdRates.filter((rate) => canMeasure(rate, scores.impostor.length));
  const rates = [...roc.map(({ far }) => far), ...headline].sort((a, b) => a - b);
  const ratesOf = rocMeter(similarities, same);
  const curvesOf = qualities.map(([, measure]) => rejectCurves(similarities, same, measure, rule));
  const draws = drawPeople(
    same,
    people,
    options,
    (weights): Draw => ({
      accuracy: weightedShare(official.correct, weights),
      cosineAccuracy: weightedShare(cosine.correct, weights),
      rates: ratesOf(weights, rates),
      curves: curvesOf.map((curveOf) => curveOf(weights)),
    }),
  );
  const drawnRates = draws.map((draw) => draw.rates);
  const tarsAt = (far: number): Float64Array => valuesOf(draws, (draw) => draw.rates.tars[rates.indexOf(far)]);

  const [magnitude, ...others] = curves.map((curve, i) => withIntervals(curve, draws, i)) as [RejectReport];
  const figures: Figure[] = [
    { name: 'accuracy', value: verification.accuracy, draws: valuesOf(draws, (draw) => draw.accuracy) },
    {
      name: 'cosineAccuracy',
      value: verification.cosineAccuracy,
      draws: valuesOf(draws, (draw) => draw.cosineAccuracy),
    },
    { name: 'auc', value: verification.auc, draws: valuesOf(draws, (draw) => draw.rates.auc) },
    { name: 'eer', value: verification.eer, draws: valuesOf(draws, (draw) => draw.rates.eer) },
    ...Object.entries(verification.tarAtFar).map(([far, value]) => ({
      name: `tar@${far}`,
      value,
      draws: tarsAt(Number(far)),
    })),
    ...(['paucArea', 'paucRelative'] as const).map((name) => ({
      name,
      value: magnitude[name],
      draws: valuesOf(draws, (draw) => draw.curves[0]![name]),
    })),
  ];
  const report: PairReport = {
    model,
    verification,
    intervals: Object.fromEntries(figures.map(({ name, draws: drawn }) => [name, knownInterval(drawn)])),
    people: { count: people.count, from: people.from },
    thresholds: headline.map((rate) => thresholdFrom(drawnRates, rates.indexOf(rate), { scores, rate })),
    roc: roc.map((point) => ({ ...point, tarInterval: knownInterval(tarsAt(point.far)) })),
    reject: magnitude,
    baselines: rejectBaselines(similarities, same, rule),
    measures: others.map((reject, i) => ({
      name: qualities[i + 1]![0],
      reject,
      paucAreaLess: knownInterval(
        valuesOf(draws, (draw) => difference(draw.curves[0]!.paucArea, draw.curves[i + 1]!.paucArea)),
      ),
    })),
    bestMeasure: compareMeasures(
      qualities.map(([name]) => name),
      curves,
      draws,
    ),
    similarities: histogram(similarities, same),
    qualities: histogram(quality, same),
    views: viewHistogram(loaded),
    groups: Object.fromEntries(
      Object.entries(loaded.columns).map(([name, column]) => [name, ratesByGroup(loaded, column, rule.fmr)]),
    ),
    ...examplePairs(loaded, examples),
  };
  return { model, report, people, figures };
}

/** Compares all measures, magnitude included, by the area below their curves. */
function compareMeasures(
  names: readonly string[],
  curves: readonly RejectCurve[],
  draws: readonly Draw[],
): FigureComparison | undefined {
  const measures = names.map((model, i) => ({
    model,
    figures: [
      { name: 'paucArea', value: curves[i]!.paucArea, draws: valuesOf(draws, (draw) => draw.curves[i]!.paucArea) },
    ],
  }));
  return compareModels(measures)[0];
}

/** False match rates of the table of thresholds. */
const thresholdRates: readonly number[] = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6];

/** The result of one draw of people. */
interface Draw {
  readonly accuracy: number;
  readonly cosineAccuracy: number;
  readonly rates: WeightedRates;
  /** Magnitude first, then the measures. */
  readonly curves: readonly RejectCurve[];
}

/** The requested rate, else the strictest of 0.001, 0.01 and 0.1 that is measurable where pAUC ends. */
function ruleFor(impostors: number, asked: RejectOptions = {}): RejectOptions & { readonly fmr: number } {
  const limit = asked.paucLimit ?? Math.min(0.3, asked.rejectRates?.at(-1) ?? 1);
  const left = asked.threshold === 'fixed' ? impostors : impostors * (1 - limit);
  return { ...asked, fmr: asked.fmr ?? [0.001, 0.01].find((rate) => canMeasure(rate, left)) ?? 0.1 };
}

const valuesOf = (draws: readonly Draw[], figure: (draw: Draw) => number | null | undefined): Float64Array =>
  Float64Array.from(draws, (draw) => figure(draw) ?? Number.NaN);

const difference = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a - b);

function withIntervals(curve: RejectCurve, draws: readonly Draw[], measure: number): RejectReport {
  return {
    ...curve,
    fnmrInterval: curve.fnmr.map((fnmr, i) =>
      fnmr === null ? null : knownInterval(valuesOf(draws, (draw) => draw.curves[measure]!.fnmr[i])),
    ),
  };
}

function weightedShare(correct: Uint8Array, weights: Uint32Array): number {
  let [right, all] = [0, 0];
  for (let pair = 0; pair < weights.length; pair++) {
    right += correct[pair]! * weights[pair]!;
    all += weights[pair]!;
  }
  return right / all;
}
