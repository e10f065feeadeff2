/** `magface evaluate report`: models side by side on one page. */

import { readFile, writeFile } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import type { Command } from 'commander';
import { compareModels, type FigureComparison } from '../../eval/compare-models.ts';
import { type LoadedPairs, loadPairs } from '../../eval/load-pairs.ts';
import { type MeasuredModel, measureModel } from '../../eval/measure-model.ts';
import type { PairReport } from '../../eval/pair-report.ts';
import { readQualities } from '../../eval/quality-file.ts';
import { pairQuality } from '../../eval/reject.ts';
import { expectFileTarget } from '../../format/write-target.ts';
import { evaluationPage } from '../../report/evaluation-page.ts';
import { comparisonText, figureText, figureTitle, paucLine } from '../../report/figure-text.ts';
import { inPercent } from '../../report/page.ts';
import type { ConfigOf } from '../../settings/setting.ts';
import { type Context, note } from '../context.ts';
import { formatOf, outputSettings } from '../options.ts';
import { type Column, createRows, printSentences } from '../output.ts';
import { addSettings } from '../setting-flags.ts';
import { curveColumns, curvePoints } from './curves.ts';
import { foldSettings, pairSettings, rejectOptions, rejectSettings } from './options.ts';
import { namesShown } from './pictures.ts';

const settings = {
  ...pairSettings,
  features: {
    group: 'Data:',
    takes: 'texts',
    value: '<file...>',
    says: 'features of one or more models for the same pairs',
    required: true,
  },
  quality: {
    group: 'Data:',
    takes: 'texts',
    value: '<file...>',
    says: 'other quality measures to compare with magnitude: "name value" lines, or a table',
  },
  images: {
    group: 'Data:',
    takes: 'text',
    value: '<dir>',
    says: 'folder that image names are relative to; shows the hardest pairs',
  },
  ...foldSettings,
  ...rejectSettings,
  output: { group: 'Output:', takes: 'text', value: '<file.html>', says: 'page to write', required: true },
  ...outputSettings,
} as const;

type Flags = ConfigOf<typeof settings>;

export function defineEvaluateReport(command: Command, context: Context): void {
  command.description(
    'Compare models on one page: ROC, DET, error versus reject, histograms, thresholds, hardest pairs.',
  );
  addSettings(command, settings).action(async (flags: Flags) => {
    await expectFileTarget(flags.output);
    const models: MeasuredModel[] = [];
    for (const features of flags.features) {
      if (flags.quiet !== true) note(context, `Measuring ${features} …`);
      const loaded = await loadPairs({ features, pairs: flags.pairs, match: flags.match });
      const measures = pairMeasures(loaded, await readMeasures(loaded, flags.quality ?? []));
      const people = models[0]?.people;
      const reject = rejectOptions(flags);
      const named = nameOf(features, flags.features);
      models.push(measureModel(loaded, named, { folds: flags.folds, measures, reject, ...(people && { people }) }));
    }
    const reports = models.map(({ report }) => report);
    const comparisons = compareModels(models);
    if (flags.quiet !== true) for (const limit of limitsOf(reports)) note(context, limit);
    const pictures = await readPictures(reports, flags.images);
    await writeFile(
      flags.output,
      evaluationPage({
        title: basename(flags.pairs),
        sets: [{ name: basename(flags.pairs), reports, comparisons, pictures }],
      }),
    );
    await print(reports, comparisons, { flags, context });
    if (flags.quiet !== true) note(context, `Report: ${flags.output}`);
  });
}

/** Measures of the faces' quality by name, (N) each, from all files. */
export async function readMeasures(
  { features }: LoadedPairs,
  files: readonly string[],
): Promise<Record<string, Float64Array>> {
  const measures: Record<string, Float64Array> = {};
  for (const file of files)
    for (const { name, values } of await readQualities(file, features))
      measures[name in measures ? `${name} (${basename(file)})` : name] = values;
  return measures;
}

/** @returns (P) each: the measures of the pairs */
export const pairMeasures = (
  { rows }: LoadedPairs,
  measures: Readonly<Record<string, Float64Array>>,
): Record<string, Float64Array> =>
  Object.fromEntries(Object.entries(measures).map(([name, values]) => [name, pairQuality(values, rows)]));

/** The file's name if it is unique, else its path. */
function nameOf(file: string, all: readonly string[]): string {
  const short = (path: string): string => basename(path, extname(path));
  return all.filter((other) => short(other) === short(file)).length === 1 ? short(file) : file;
}

/** Pictures of the hardest pairs; an unreadable image is shown by name. */
async function readPictures(reports: readonly PairReport[], folder: string | undefined): Promise<Map<string, string>> {
  const pictures = new Map<string, string>();
  if (folder === undefined) return pictures;
  for (const name of namesShown(reports)) {
    const bytes = await readFile(resolve(folder, name)).catch(() => undefined);
    const type = extname(name).slice(1).toLowerCase().replace('jpg', 'jpeg');
    if (bytes !== undefined) pictures.set(name, `data:image/${type};base64,${bytes.toString('base64')}`);
  }
  return pictures;
}

/** Caveats of the models' figures, each once. */
const limitsOf = (reports: readonly PairReport[]): string[] => [
  ...new Set(reports.flatMap(({ verification, reject }) => [...verification.limits, ...reject.limits])),
];

const columns: readonly Column<PairReport>[] = [
  { title: 'Model', value: ({ model }) => model, layout: 'middle' },
  { title: 'Accuracy', value: ({ verification }) => inPercent(verification.accuracy), layout: 'right' },
  { title: 'Cosine', value: ({ verification }) => inPercent(verification.cosineAccuracy), layout: 'right' },
  { title: 'AUC', value: ({ verification }) => verification.auc.toFixed(5), layout: 'right' },
  { title: 'EER', value: ({ verification }) => inPercent(verification.eer), layout: 'right' },
  ...(['paucArea', 'paucRelative'] as const).map(
    (name): Column<PairReport> => ({
      title: figureTitle(name),
      value: ({ reject }) => figureText(name, reject[name]),
      layout: 'right',
    }),
  ),
];

/** A report with its model compared to the best one, by figure. */
interface ComparedReport extends PairReport {
  readonly comparison: Readonly<Record<string, Standing>>;
}

interface Standing {
  readonly best: string;
  /** Whether the best model is significantly better than all others. */
  readonly shown: boolean;
  /** Lead of the best model over this one, with its interval; absent for the best. */
  readonly difference?: number;
  readonly interval?: readonly [number, number] | null;
}

function compared(report: PairReport, comparisons: readonly FigureComparison[]): ComparedReport {
  const standing = ({ figure, best, shown, others }: FigureComparison): [string, Standing] => {
    const other = others.find(({ model }) => model === report.model);
    return [figure, { best, shown, ...(other && { difference: other.difference, interval: other.interval }) }];
  };
  return { ...report, comparison: Object.fromEntries(comparisons.map(standing)) };
}

async function print(
  reports: readonly PairReport[],
  comparisons: readonly FigureComparison[],
  { flags, context: { stdout } }: { readonly flags: Flags; readonly context: Context },
): Promise<void> {
  const format = formatOf(flags);
  if (format === 'csv') {
    const rows = createRows(stdout, { format, table: curveColumns });
    for (const point of reports.flatMap(curvePoints)) await rows.write(point);
    return rows.close();
  }
  const rows = createRows(stdout, { format, table: columns });
  for (const report of reports) await rows.write(compared(report, comparisons));
  await rows.close();
  if (format !== 'table') return;
  await printSentences(stdout, [
    paucLine(reports[0]!.reject),
    ...comparisons.map((comparison) => comparisonText(comparison, reports)),
  ]);
}
