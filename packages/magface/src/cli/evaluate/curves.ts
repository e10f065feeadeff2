/** Curves as one long table that any plotting tool reads. */
import type { PairReport } from '../../eval/pair-report.ts';
import type { Column } from '../output.ts';

/** A point of a curve. */
export interface CurvePoint {
  readonly model: string;
  /** `roc`, `reject by MEASURE`, `reject by chance` or `reject by the oracle`. */
  readonly curve: string;
  /** False accept rate, or the share of rejected pairs in a reject curve. */
  readonly x: number;
  /** True accept rate, or FNMR in a reject curve. */
  readonly y: number | null;
  /** 95 % interval of y. */
  readonly low?: number | undefined;
  readonly high?: number | undefined;
}

export const curveColumns: readonly Column<CurvePoint>[] = [
  { title: 'model', value: ({ model }) => model },
  { title: 'curve', value: ({ curve }) => curve },
  ...(['x', 'y', 'low', 'high'] as const).map((key) => ({
    title: `${key} [fraction]`,
    value: (point: CurvePoint) => point[key] ?? undefined,
  })),
];

export function curvePoints({ model, roc, reject, measures, baselines }: PairReport): CurvePoint[] {
  const curves = [
    { name: 'magnitude', curve: reject, interval: reject.fnmrInterval },
    ...measures.map(({ name, reject: curve }) => ({ name, curve, interval: curve.fnmrInterval })),
    { name: 'chance', curve: baselines.random, interval: [] },
    { name: 'the oracle', curve: baselines.oracle, interval: [] },
  ];
  return [
    ...roc.map(({ far, tar, tarInterval }) => ({
      ...{ model, curve: 'roc', x: far, y: tar },
      ...{ low: tarInterval?.[0], high: tarInterval?.[1] },
    })),
    ...curves.flatMap(({ name, curve: { rejectRates, fnmr }, interval }) =>
      rejectRates.map((x, i) => ({
        ...{ model, curve: `reject by ${name}`, x, y: fnmr[i] ?? null },
        ...{ low: interval[i]?.[0], high: interval[i]?.[1] },
      })),
    ),
  ];
}
