/** `magface evaluate suite`: many sets, many models, one report. A failed set does not affect the others. */

import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { PairReport } from '../../eval/pair-report.ts';
import { expectFolderTarget } from '../../format/write-target.ts';
import { makeFolder } from '../../machine/make-folder.ts';
import { comparisonText, figureText, paucLine } from '../../report/figure-text.ts';
import { inPercent } from '../../report/page.ts';
import type { ConfigOf } from '../../settings/setting.ts';
import { type Context, note } from '../context.ts';
import type { ExitCode } from '../errors.ts';
import { cacheSettings, engineSettings, formatOf, outputSettings } from '../options.ts';
import { type Column, createRows, printRecord, printSentences } from '../output.ts';
import { addSettings } from '../setting-flags.ts';
import { figureColumns } from './columns.ts';
import { runSuite } from './run-suite.ts';
import { readSuite } from './suite-config.ts';
import { type SuiteResult, writeSuite } from './suite-files.ts';

const settings = {
  output: { takes: 'text', value: '<dir>', says: 'folder for the report and its tables', otherwise: 'the suite’s' },
  ...cacheSettings,
  ...engineSettings,
  ...outputSettings,
} as const;

type Flags = ConfigOf<typeof settings>;

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
  methods: [detector, pruning]   other quality methods, see magface lab --help

The output folder gets report.html, results.json, results.csv, thresholds.csv
and curves.csv. If a set fails, the others continue and the exit code is 1.

Example:
  magface evaluate suite suite.yaml`;

export function defineEvaluateSuite(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command
    .description('Measure many models on many sets, and compare them in one report.')
    .argument('<config>', 'the suite, a YAML file');
  addSettings(command, settings).addHelpText('after', examples);
  command.action(async (config: string, flags: Flags) => done(await evaluateSuite(config, flags, context)));
}

async function evaluateSuite(config: string, flags: Flags, context: Context): Promise<ExitCode> {
  const suite = await readSuite(config);
  const output = flags.output ?? suite.output;
  await expectFolderTarget(output);
  await makeFolder(output);
  const result = await runSuite(suite, flags, context);
  await writeSuite(output, result);
  await print(result, output, { flags, context });
  for (const { set, model, message } of result.failures)
    note(context, `Failed: ${set}${model === undefined ? '' : ` with ${model}`}: ${message}`);
  if (flags.quiet !== true) note(context, `Report: ${resolve(output, 'report.html')}`);
  return result.failures.length > 0 ? 1 : 0;
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
