/** Figures of one model on one set as flat columns: one value per cell, units in titles. */
import type { ThresholdEstimate } from '../../eval/bootstrap.ts';
import type { GroupReport } from '../../eval/groups.ts';
import type { QualityDecision } from '../../eval/quality-decision.ts';
import type { RejectCurve } from '../../eval/reject.ts';
import type { Verification } from '../../eval/verification.ts';
import type { Column } from '../output.ts';

/** Figures that `evaluate pairs`, `set` and `suite` print per model. */
export interface FlatFigures extends Verification {
  readonly set?: string;
  readonly model?: string;
  readonly images?: number;
  readonly thresholds?: readonly ThresholdEstimate[];
  readonly reject?: Omit<RejectCurve, 'limits'>;
  readonly qualityDecision?: QualityDecision;
  readonly groups?: Readonly<Record<string, GroupReport>>;
}

/** Columns with a value in any row. */
export function figureColumns(rows: readonly FlatFigures[]): Column<FlatFigures>[] {
  const column = (title: string, value: (row: FlatFigures) => string | number | null | undefined) => ({
    title,
    value: (row: FlatFigures) => value(row) ?? undefined,
  });
  const rates = [...new Set(rows.flatMap(({ tarAtFar }) => Object.keys(tarAtFar)))];
  rates.sort((a, b) => Number(b) - Number(a));
  const estimate = ({ thresholds }: FlatFigures, rate: string): ThresholdEstimate | undefined =>
    thresholds?.find(({ far }) => String(far) === rate);
  const all = [
    ...(['set', 'model'] as const).map((key) => column(key, (row) => row[key])),
    ...(['images', 'pairs', 'genuine', 'impostor', 'folds'] as const).map((key) =>
      column(`${key} [count]`, (row) => row[key]),
    ),
    ...(['accuracy', 'accuracyStd', 'cosineAccuracy', 'cosineAccuracyStd', 'auc', 'eer'] as const).map((key) =>
      column(`${key} [fraction]`, (row) => row[key]),
    ),
    ...rates.flatMap((rate) => [
      column(`tar@${rate} [fraction]`, (row) => row.tarAtFar[rate]),
      column(`tarLow@${rate} [fraction]`, (row) => estimate(row, rate)?.tarInterval[0]),
      column(`tarHigh@${rate} [fraction]`, (row) => estimate(row, rate)?.tarInterval[1]),
      column(`threshold@${rate} [cosine]`, (row) => row.thresholdAtFar[rate]),
      column(`thresholdLow@${rate} [cosine]`, (row) => estimate(row, rate)?.thresholdInterval[0]),
      column(`thresholdHigh@${rate} [cosine]`, (row) => estimate(row, rate)?.thresholdInterval[1]),
    ]),
    column('rejectFmr [fraction]', ({ reject }) => reject?.fmr),
    column('rejectLimit [fraction]', ({ reject }) => reject?.paucLimit),
    column('fnmrOfAll [fraction]', ({ reject }) => reject?.fnmrOfAll),
    column('pauc [mean FNMR]', ({ reject }) => reject?.pauc),
    column('paucArea [area]', ({ reject }) => reject?.paucArea),
    column('paucRelative [ratio]', ({ reject }) => reject?.paucRelative),
    column('qualityBinsTar [fraction]', ({ qualityDecision }) => qualityDecision?.heldOutTar.binned),
    column('qualityBinsPlainTar [fraction]', ({ qualityDecision }) => qualityDecision?.heldOutTar.plain),
    ...groupColumns(rows),
  ];
  return all.filter(({ value }) => rows.some((row) => value(row) !== undefined));
}

/** `camera=old fnmr [fraction]` and so on, for each group of each column of the list. */
function groupColumns(rows: readonly FlatFigures[]): Column<FlatFigures>[] {
  const named = rows.flatMap(({ groups = {} }) =>
    Object.entries(groups).flatMap(([name, report]) => report.groups.map(({ group }) => ({ name, group }))),
  );
  const places = new Map(named.map((place) => [`${place.name}=${place.group}`, place]));
  return [...places].flatMap(([key, { name, group }]) => {
    const of = (row: FlatFigures) => row.groups?.[name]?.groups.find((rates) => rates.group === group);
    return [
      { title: `${key} genuine [count]`, value: (row: FlatFigures) => of(row)?.genuine },
      { title: `${key} fnmr [fraction]`, value: (row: FlatFigures) => of(row)?.fnmr ?? undefined },
      { title: `${key} impostor [count]`, value: (row: FlatFigures) => of(row)?.impostor },
      { title: `${key} fmr [fraction]`, value: (row: FlatFigures) => of(row)?.fmr ?? undefined },
      { title: `${key} quality [median]`, value: (row: FlatFigures) => of(row)?.quality.p50 },
    ];
  });
}
