/** Everything that a report shows of one model on one list of pairs: figures, curves, distributions, hardest pairs. */
import { estimateThresholds, type ThresholdEstimate } from './bootstrap.ts';
import { labelOf } from './feature-set.ts';
import { type GroupReport, ratesByGroup } from './groups.ts';
import { identitiesOf } from './identities.ts';
import type { LoadedPairs } from './load-pairs.ts';
import {
  errorVersusReject,
  type RejectBaselines,
  type RejectCurve,
  type RejectOptions,
  rejectBaselines,
} from './reject.ts';
import { canMeasure, type OperatingPoint, rocCurve, splitScores } from './roc.ts';
import { type Verification, verify } from './verification.ts';

/** One bar for each kind of pair; counts are shares of their kind. */
export interface HistogramBin {
  readonly from: number;
  readonly to: number;
  readonly genuine: number;
  readonly impostor: number;
}

/** One pair by the names of its images. */
export interface PairExample {
  readonly left: string;
  readonly right: string;
  readonly similarity: number;
  /** The lower quality of the two. */
  readonly quality: number;
}

/** One bar of faces of one view, a share of that view. */
export interface ViewBin {
  readonly view: string;
  readonly from: number;
  readonly to: number;
  readonly share: number;
}

/** The pairs that a threshold gets wrong first, or last. */
export interface PairExamples {
  /** Two images of one person. */
  readonly genuine: readonly PairExample[];
  /** Two people. */
  readonly impostor: readonly PairExample[];
}

/** A model as a report shows it. */
export interface PairReport {
  readonly model: string;
  readonly verification: Verification;
  readonly thresholds: readonly ThresholdEstimate[];
  readonly roc: readonly OperatingPoint[];
  /** At the strictest of 0.001, 0.01 and 0.1 that the impostors tell. */
  readonly reject: RejectCurve;
  readonly baselines: RejectBaselines;
  /** Other measures of quality on the same pairs, by name. */
  readonly measures: readonly { readonly name: string; readonly reject: RejectCurve }[];
  readonly similarities: readonly HistogramBin[];
  readonly qualities: readonly HistogramBin[];
  /** Magnitudes of single faces by the kind of picture; empty where the set tells none. */
  readonly views: readonly ViewBin[];
  /** Rates by each group column of the list. */
  readonly groups: Readonly<Record<string, GroupReport>>;
  /** What every threshold gets right. */
  readonly easiest: PairExamples;
  /** What a threshold gets wrong first: genuine pairs from the least alike on, impostors from the most alike on. */
  readonly hardest: PairExamples;
}

/** How much a report shows. */
export interface PairReportOptions {
  /** @default 10 */
  readonly folds?: number;
  /** Pairs of each kind in `hardest`. @default 6 */
  readonly examples?: number;
  /** Rate, rule and limit of the error-versus-reject curves. @default exact, at the strictest rate that is told */
  readonly reject?: RejectOptions;
  /** (P) each: other measures of pair quality, by name, to stand beside magnitude. @default none */
  readonly measures?: Readonly<Record<string, Float64Array>>;
}

/**
 * @param model - how the report calls it
 * @throws {MagfaceError} `evaluation_impossible` with fewer than ten impostors, or without genuine pairs
 */
export function reportPairs(loaded: LoadedPairs, model: string, options: PairReportOptions = {}): PairReport {
  const { folds = 10, examples = 6, measures = {} } = options;
  const { features, rows, similarities, same, quality } = loaded;
  const scores = splitScores(similarities, same);
  const fmr = options.reject?.fmr ?? [0.001, 0.01].find((rate) => canMeasure(rate, scores.impostor.length)) ?? 0.1;
  const rule = { ...options.reject, fmr };
  return {
    model,
    verification: verify(features, rows, { folds }),
    thresholds: estimateThresholds(similarities, same, identitiesOf(rows, features.names), {
      far: [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6],
    }),
    roc: rocCurve(scores),
    reject: errorVersusReject(similarities, same, quality, rule),
    baselines: rejectBaselines(similarities, same, rule),
    measures: Object.entries(measures).map(([name, other]) => ({
      name,
      reject: errorVersusReject(similarities, same, other, rule),
    })),
    similarities: histogram(similarities, same),
    qualities: histogram(quality, same),
    views: viewHistogram(loaded),
    groups: Object.fromEntries(
      Object.entries(loaded.columns).map(([name, column]) => [name, ratesByGroup(loaded, column, fmr)]),
    ),
    ...examplePairs(loaded, examples),
  };
}

function barsOver(values: Float64Array, bars: number): { readonly low: number; readonly width: number } {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return { low, width: (high - low) / bars || 1 };
}

/** Bars of one width over all values; both kinds share them. */
function histogram(values: Float64Array, same: Uint8Array, bars = 40): HistogramBin[] {
  const { low, width } = barsOver(values, bars);
  const counts = [new Float64Array(bars), new Float64Array(bars)] as const;
  values.forEach((value, pair) => {
    counts[same[pair] === 1 ? 1 : 0][Math.min(bars - 1, Math.floor((value - low) / width))]! += 1;
  });
  const [impostors, genuine] = counts.map((kind) => kind.reduce((sum, count) => sum + count, 0)) as [number, number];
  return Array.from({ length: bars }, (_, bar) => ({
    from: low + bar * width,
    to: low + (bar + 1) * width,
    genuine: counts[1][bar]! / genuine,
    impostor: counts[0][bar]! / impostors,
  }));
}

/** Bars of one width over all faces; each view adds up to 1. */
function viewHistogram({ views, qualities }: LoadedPairs, bars = 40): ViewBin[] {
  if (views === undefined) return [];
  const values = Float64Array.from(qualities);
  const { low, width } = barsOver(values, bars);
  return [...new Set(views)].sort().flatMap((view) => {
    const counts = new Float64Array(bars);
    values.forEach((value, row) => {
      if (views[row] === view) counts[Math.min(bars - 1, Math.floor((value - low) / width))]! += 1;
    });
    const total = counts.reduce((sum, count) => sum + count, 0);
    return Array.from(counts, (count, bar) => {
      return { view, from: low + bar * width, to: low + (bar + 1) * width, share: count / total };
    });
  });
}

function examplePairs(
  { features, rows, similarities, same, quality }: LoadedPairs,
  count: number,
): Pick<PairReport, 'easiest' | 'hardest'> {
  const order = Uint32Array.from(similarities.keys()).sort((a, b) => similarities[a]! - similarities[b]!);
  const example = (pair: number): PairExample => ({
    left: features.names?.[rows.left[pair]!] ?? labelOf(features, rows.left[pair]!),
    right: features.names?.[rows.right[pair]!] ?? labelOf(features, rows.right[pair]!),
    similarity: similarities[pair]!,
    quality: quality[pair]!,
  });
  const [genuine, impostor] = [1, 0].map((label) => order.filter((pair) => same[pair] === label)) as [
    Uint32Array,
    Uint32Array,
  ];
  const first = (pairs: Uint32Array): PairExample[] => Array.from(pairs.subarray(0, count), example);
  const last = (pairs: Uint32Array): PairExample[] => Array.from(pairs.slice(-count).reverse(), example);
  return {
    easiest: { genuine: last(genuine), impostor: first(impostor) },
    hardest: { genuine: first(genuine), impostor: last(impostor) },
  };
}
