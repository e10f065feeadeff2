/** The report of one model on one list of pairs: figures, curves, distributions, hardest pairs. */
import type { Interval, ThresholdEstimate } from './bootstrap.ts';
import type { FigureComparison } from './compare-models.ts';
import { labelOf } from './feature-set.ts';
import type { GroupReport } from './groups.ts';
import type { PairIdentities } from './identities.ts';
import type { LoadedPairs } from './load-pairs.ts';
import type { RejectBaselines, RejectCurve } from './reject.ts';
import type { OperatingPoint } from './roc.ts';
import type { Verification } from './verification.ts';

/** One bar for each kind of pair; counts are shares of their kind. */
export interface HistogramBin {
  readonly from: number;
  readonly to: number;
  readonly genuine: number;
  readonly impostor: number;
}

/** A pair of image names. */
export interface PairExample {
  readonly left: string;
  readonly right: string;
  readonly similarity: number;
  /** The lower quality of the two. */
  readonly quality: number;
}

/** One bar of a view's histogram, as a share of that view. */
export interface ViewBin {
  readonly view: string;
  readonly from: number;
  readonly to: number;
  readonly share: number;
}

/** The pairs that a threshold gets wrong first or last. */
export interface PairExamples {
  /** Two images of one person. */
  readonly genuine: readonly PairExample[];
  /** Two people. */
  readonly impostor: readonly PairExample[];
}

/** A reject curve with the 95 % interval of each point, by a bootstrap over people. */
export interface RejectReport extends RejectCurve {
  /** One per reject rate; null if too many draws have no value. */
  readonly fnmrInterval: readonly (Interval | null)[];
}

/** The report of a model. All intervals are 95 %, by a bootstrap over people. */
export interface PairReport {
  readonly model: string;
  readonly verification: Verification;
  /** By name of a `Figure` in `compare-models.ts`. */
  readonly intervals: Readonly<Record<string, Interval | null>>;
  /** The identities drawn by the bootstrap. */
  readonly people: Pick<PairIdentities, 'count' | 'from'>;
  readonly thresholds: readonly ThresholdEstimate[];
  readonly roc: readonly (OperatingPoint & { readonly tarInterval: Interval | null })[];
  /** At the strictest of 0.001, 0.01 and 0.1 with enough impostors. */
  readonly reject: RejectReport;
  readonly baselines: RejectBaselines;
  /** Other quality measures on the same pairs, by name. */
  readonly measures: readonly {
    readonly name: string;
    readonly reject: RejectReport;
    /** Interval of magnitude's `paucArea` minus its own: above 0 it is the better quality. */
    readonly paucAreaLess: Interval | null;
  }[];
  /** All measures, magnitude included, by `paucArea`; absent if magnitude is the only one. */
  readonly bestMeasure?: FigureComparison | undefined;
  readonly similarities: readonly HistogramBin[];
  readonly qualities: readonly HistogramBin[];
  /** Magnitudes of single faces by view; empty if the set has no views. */
  readonly views: readonly ViewBin[];
  /** Rates by each group column of the list. */
  readonly groups: Readonly<Record<string, GroupReport>>;
  /** The pairs that every threshold gets right. */
  readonly easiest: PairExamples;
  /** The pairs that a threshold gets wrong first: the least alike genuine and the most alike impostor pairs. */
  readonly hardest: PairExamples;
}

function barsOver(values: Float64Array, bars: number): { readonly low: number; readonly width: number } {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return { low, width: (high - low) / bars || 1 };
}

/** Bars of equal width over all values, shared by both kinds. */
export function histogram(values: Float64Array, same: Uint8Array, bars = 40): HistogramBin[] {
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

/** Bars of equal width over all faces; each view sums to 1. */
export function viewHistogram({ views, qualities }: LoadedPairs, bars = 40): ViewBin[] {
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

export function examplePairs(
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
