/** `magface evaluate suite`: many sets, many models, one report. A failed set does not affect the others. */

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { MagfaceError } from '../../errors.ts';
import { compareModels } from '../../eval/compare-models.ts';
import { type MeasuredModel, measureModel } from '../../eval/measure-model.ts';
import { openFaceSet } from '../../eval/open-face-set.ts';
import type { PairReport } from '../../eval/pair-report.ts';
import { expectFolderTarget } from '../../format/write-target.ts';
import { makeFolder } from '../../machine/make-folder.ts';
import { comparisonText, figureText, paucLine } from '../../report/figure-text.ts';
import { inPercent } from '../../report/page.ts';
import { type Context, note } from '../context.ts';
import type { ExitCode } from '../errors.ts';
import { addEngineFlags, addOutputFlags, formatOf } from '../options.ts';
import { type Column, createRows, printRecord, printSentences } from '../output.ts';
import { figureColumns } from './columns.ts';
import { type EmbedSetFlags, embedSet } from './embed.ts';
import { setPictures } from './pictures.ts';
import { recordOf } from './set.ts';
import { readSuite, type Suite, type SuiteSet } from './suite-config.ts';
import { type SuiteFailure, type SuiteResult, writeSuite } from './suite-files.ts';

interface Flags extends EmbedSetFlags {
  readonly output?: string;
}

const examples = `
The suite is a YAML file. Its paths are relative to it:
  title: Small recognisers
  output: results
  flip: true
  models:
    - fr-feature
    - { name: mine, model: my.onnx }
  sets:
    - lfw.bin
    - { name: CFP-FF, set: cfp-dataset, protocol: ff }
    - { set: lfw, images: lfw/aligned, aligned: true }

The output folder gets report.html, results.json, results.csv, thresholds.csv
and curves.csv. If a set fails, the others continue and the exit code is 1.

Example:
  magface evaluate suite suite.yaml`;

export function defineEvaluateSuite(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command
    .description('Measure many models on many sets, and compare them in one report.')
    .argument('<config>', 'the suite, a YAML file')
    .option('--output <dir>', 'folder for the report and its tables (default: the suite’s)')
    .option('--no-cache', 'neither read nor write cached features')
    .optionsGroup('Models:');
  addEngineFlags(command);
  addOutputFlags(command).addHelpText('after', examples);
  command.action(async (config: string, flags: Flags) => done(await evaluateSuite(config, flags, context)));
}

async function evaluateSuite(config: string, flags: Flags, context: Context): Promise<ExitCode> {
  const suite = await readSuite(config);
  const output = flags.output ?? suite.output;
  await expectFolderTarget(output);
  await makeFolder(output);
  const result: SuiteResult = { title: suite.title, sets: [], failures: [] };
  for (const entry of suite.sets) await measureSet(entry, result, { suite, flags, context });
  await writeSuite(output, result);
  await print(result, output, { flags, context });
  for (const { set, model, message } of result.failures)
    note(context, `Failed: ${set}${model === undefined ? '' : ` with ${model}`}: ${message}`);
  if (flags.quiet !== true) note(context, `Report: ${resolve(output, 'report.html')}`);
  return result.failures.length > 0 ? 1 : 0;
}

/** Adds a set's figures, or its failures, to the result. */
async function measureSet(
  entry: SuiteSet,
  result: SuiteResult,
  { suite, flags, context }: { readonly suite: Suite; readonly flags: Flags; readonly context: Context },
): Promise<void> {
  const { set: source, name, aligned = source.endsWith('.bin'), ...files } = entry;
  const fail = (error: unknown, called: string, model?: string): void => {
    if (context.signal.aborted || !isFailure(error)) throw error;
    result.failures.push(failure(error, called, model));
  };
  try {
    const opened = await openFaceSet(source, { ...files, folds: suite.folds });
    try {
      const set = { ...opened, name: name ?? opened.name };
      const models: MeasuredModel[] = [];
      for (const { name: called, model } of suite.models) {
        if (flags.quiet !== true) note(context, `${set.name} with ${called} …`);
        await embedSet(set, settingsOf(model, { suite, flags, aligned }), context)
          .then((embedded) => {
            const { folds, reject } = suite;
            const people = models[0]?.people;
            models.push(measureModel(embedded, called, { folds, reject, ...(people && { people }) }));
          })
          .catch((error: unknown) => fail(error, set.name, called));
      }
      if (models.length === 0) return;
      const reports = models.map(({ report }) => report);
      const pictures = await setPictures(set, reports);
      const records = reports.map((report) => recordOf(set, report));
      const comparisons = compareModels(models);
      result.sets.push({ name: set.name, notes: set.notes, reports, comparisons, pictures, records });
    } finally {
      await opened.close();
    }
  } catch (error) {
    fail(error, name ?? source);
  }
}

function settingsOf(
  model: string,
  { suite, flags, aligned }: { readonly suite: Suite; readonly flags: Flags; readonly aligned: boolean },
): EmbedSetFlags {
  const detector = aligned || suite.detector === undefined ? {} : { detector: suite.detector };
  return { ...flags, ...detector, model, aligned, flip: suite.flip };
}

/** A set's failure goes into the report; a defect in our code ends the run visibly. */
const isFailure = (error: unknown): boolean =>
  error instanceof MagfaceError || (error instanceof Error && 'syscall' in error);

function failure(error: unknown, set: string, model: string | undefined): SuiteFailure {
  const message = error instanceof Error ? error.message : String(error);
  return { set, ...(model !== undefined && { model }), message };
}

interface Row {
  readonly set: string;
  readonly report: PairReport;
}

const columns: readonly Column<Row>[] = [
  { title: 'Set', value: ({ set }) => set, layout: 'middle' },
  { title: 'Model', value: ({ report }) => report.model, layout: 'middle' },
  { title: 'Accuracy', value: ({ report: { verification: v } }) => inPercent(v.accuracy), layout: 'right' },
  { title: 'Cosine', value: ({ report: { verification: v } }) => inPercent(v.cosineAccuracy), layout: 'right' },
  { title: 'AUC', value: ({ report }) => report.verification.auc.toFixed(5), layout: 'right' },
  { title: 'EER', value: ({ report }) => inPercent(report.verification.eer), layout: 'right' },
  { title: 'TAR 1e-3', value: ({ report: { verification: v } }) => tarOf(v.tarAtFar['0.001']), layout: 'right' },
  ...(['paucArea', 'paucRelative'] as const).map(
    (name): Column<Row> => ({
      title: name === 'paucArea' ? 'pAUC×10³' : 'rel.',
      value: ({ report }) => figureText(name, report.reject[name]),
      layout: 'right',
    }),
  ),
];

const tarOf = (tar: number | undefined): string | undefined => (tar === undefined ? undefined : inPercent(tar));

async function print(
  result: SuiteResult,
  output: string,
  { flags, context: { stdout } }: { readonly flags: Flags; readonly context: Context },
): Promise<void> {
  const format = formatOf(flags);
  if (format === 'json') {
    const { title, sets, failures } = result;
    const record = { title, results: sets.flatMap(({ records }) => records), failures, output };
    return printRecord(stdout, record, { format, lines: [] });
  }
  if (format === 'csv') {
    const records = result.sets.flatMap((set) => set.records);
    return printRecord(stdout, {}, { format, lines: [], csv: { rows: records, columns: figureColumns(records) } });
  }
  const rows = createRows<Row>(stdout, { format, table: columns });
  for (const { name: set, reports } of result.sets) for (const report of reports) await rows.write({ set, report });
  await rows.close();
  if (format !== 'table') return;
  for (const { name, reports, comparisons } of result.sets) {
    const lines = (comparisons ?? []).map((comparison) => comparisonText(comparison, reports));
    await printSentences(stdout, [`${name}. ${paucLine(reports[0]!.reject)}`, ...lines]);
  }
}
