/** Curves as one long table, which every tool can draw from. */
import type { PairReport } from '../eval/pair-report.ts';
import type { Column } from './output.ts';

/** A point of a curve. */
export interface CurvePoint {
  readonly model: string;
  /** `roc` or `reject by MEASURE`. */
  readonly curve: string;
  readonly x: number;
  readonly y: number | null;
}

export const curveColumns: readonly Column<CurvePoint>[] = (['model', 'curve', 'x', 'y'] as const).map((key) => ({
  title: key,
  value: (point) => point[key] ?? undefined,
}));

export function curvePoints({ model, roc, reject, measures }: PairReport): CurvePoint[] {
  return [
    ...roc.map(({ far, tar }) => ({ model, curve: 'roc', x: far, y: tar })),
    ...[{ name: 'magnitude', reject }, ...measures].flatMap(({ name, reject: { rejectRates, fnmr } }) =>
      rejectRates.map((x, i) => ({ model, curve: `reject by ${name}`, x, y: fnmr[i] ?? null })),
    ),
  ];
}
