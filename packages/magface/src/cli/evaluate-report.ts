/** `magface evaluate report`: models side by side on one page. */
import { readFile, writeFile } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import type { Command } from 'commander';
import { type LoadedPairs, loadPairs } from '../eval/load-pairs.ts';
import { type PairReport, reportPairs } from '../eval/pair-report.ts';
import { readQualities } from '../eval/quality-file.ts';
import { pairQuality } from '../eval/reject.ts';
import { evaluationPage } from '../report/evaluation-page.ts';
import { inPercent } from '../report/page.ts';
import { type Context, note } from './context.ts';
import { curveColumns, curvePoints } from './evaluate-curves.ts';
import type { PairFlags } from './evaluate-options.ts';
import { namesShown } from './evaluate-pictures.ts';
import { addOutputFlags, count, formatOf, type OutputFlags } from './options.ts';
import { type Column, createRows } from './output.ts';
import { expectTargets } from './targets.ts';

interface Flags extends Omit<PairFlags, 'features'>, OutputFlags {
  readonly features: readonly string[];
  readonly folds: number;
  readonly images?: string;
  readonly quality?: readonly string[];
  readonly output: string;
}

export function defineEvaluateReport(command: Command, context: Context): void {
  command
    .description(
      'Models side by side on one page: ROC, DET, error versus reject, histograms, thresholds, hardest pairs.',
    )
    .optionsGroup('Data:')
    .requiredOption('--features <file...>', 'features of one or more models for the same pairs')
    .requiredOption('--pairs <file>', 'pairs: see `magface evaluate pairs --help`')
    .option('--match <how>', 'how pairs find features: auto, order or name', 'auto')
    .option(
      '--quality <file...>',
      'other measures of quality, to stand beside magnitude: "name value" lines, or a table',
    )
    .option('--images <dir>', 'folder that image names are relative to, to show the hardest pairs')
    .optionsGroup('Protocol:')
    .option('--folds <n>', 'contiguous folds', count, 10)
    .requiredOption('--output <file.html>', 'the page');
  addOutputFlags(command).action(async (flags: Flags) => {
    await expectTargets(context, { files: { output: flags.output } });
    const reports: PairReport[] = [];
    for (const features of flags.features) {
      if (flags.quiet !== true) note(context, `Measuring ${features} …`);
      const loaded = await loadPairs({ features, pairs: flags.pairs, match: flags.match });
      const measures = await readMeasures(loaded, flags.quality ?? []);
      const report = reportPairs(loaded, nameOf(features, flags.features), { folds: flags.folds, measures });
      reports.push(report);
    }
    const pictures = await readPictures(reports, flags.images);
    await writeFile(
      resolve(context.cwd, flags.output),
      evaluationPage({ title: basename(flags.pairs), sets: [{ name: basename(flags.pairs), reports, pictures }] }),
    );
    await print(reports, flags, context);
    if (flags.quiet !== true) note(context, `Report: ${flags.output}`);
  });
}

/** (P) each: measures of the pairs' quality by name, from all files together. */
export async function readMeasures(
  { features, rows }: LoadedPairs,
  files: readonly string[],
): Promise<Record<string, Float64Array>> {
  const measures: Record<string, Float64Array> = {};
  for (const file of files)
    for (const { name, values } of await readQualities(file, features))
      measures[name in measures ? `${name} (${basename(file)})` : name] = pairQuality(values, rows);
  return measures;
}

/** The file's name where that tells the models apart, else its path. */
function nameOf(file: string, all: readonly string[]): string {
  const short = (path: string): string => basename(path, extname(path));
  return all.filter((other) => short(other) === short(file)).length === 1 ? short(file) : file;
}

/** Pictures of the hardest pairs; an image that cannot be read is shown by its name. */
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

const columns: readonly Column<PairReport>[] = [
  { title: 'Model', value: ({ model }) => model, layout: 'middle' },
  { title: 'Accuracy', value: ({ verification }) => inPercent(verification.accuracy), layout: 'right' },
  { title: 'Cosine', value: ({ verification }) => inPercent(verification.cosineAccuracy), layout: 'right' },
  { title: 'AUC', value: ({ verification }) => verification.auc.toFixed(5), layout: 'right' },
  { title: 'EER', value: ({ verification }) => inPercent(verification.eer), layout: 'right' },
  { title: 'Reject pAUC', value: ({ reject }) => reject.pauc?.toFixed(5), layout: 'right' },
];

async function print(reports: readonly PairReport[], flags: Flags, { stdout }: Context): Promise<void> {
  const format = formatOf(flags);
  if (format !== 'csv') {
    const rows = createRows(stdout, { format, table: columns });
    for (const report of reports) await rows.write(report);
    return rows.close();
  }
  const rows = createRows(stdout, { format, table: curveColumns });
  for (const point of reports.flatMap(curvePoints)) await rows.write(point);
  return rows.close();
}
