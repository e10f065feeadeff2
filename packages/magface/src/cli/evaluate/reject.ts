/** `magface evaluate reject`: the gain from rejecting the worst pairs. */

import { writeFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import type { Command } from 'commander';
import { ConfigError } from '../../errors.ts';
import { type LoadedPairs, loadPairs } from '../../eval/load-pairs.ts';
import { measureModel } from '../../eval/measure-model.ts';
import { asPercent, errorVersusReject, pairQuality, type RejectCurve, rejectBaselines } from '../../eval/reject.ts';
import { expectFileTarget } from '../../format/write-target.ts';
import { figureText, operatingText, paucLine } from '../../report/figure-text.ts';
import { inPercent } from '../../report/page.ts';
import type { ConfigOf } from '../../settings/setting.ts';
import { type Context, note } from '../context.ts';
import { formatOf, outputSettings, without } from '../options.ts';
import { type Column, printRecord } from '../output.ts';
import { addSettings } from '../setting-flags.ts';
import { pairSettings, rejectOptions, rejectSettings } from './options.ts';
import { pairMeasures, readMeasures } from './report.ts';

const settings = {
  ...pairSettings,
  ...rejectSettings,
  fmr: { ...without(rejectSettings.fmr, 'otherwise'), default: 0.001 },
  by: {
    group: 'Protocol:',
    takes: 'choice',
    choices: ['pairs', 'genuine', 'templates'],
    value: '<unit>',
    says: 'what a reject rate is a share of: all pairs, genuine pairs, or templates (faces)',
    default: 'pairs',
  },
  quality: {
    group: 'Protocol:',
    takes: 'texts',
    value: '<file...>',
    says: 'other quality measures to compare with magnitude: "name value" lines, one value per feature, or a table with a header',
  },
  ...outputSettings,
  report: {
    group: 'Output:',
    takes: 'text',
    value: '<file.html>',
    says: 'write a page with all measures in one chart',
  },
} as const;

type Flags = ConfigOf<typeof settings>;

/** The contract's curve, its baselines, and every other measure. */
interface RejectResult extends RejectCurve {
  /** Measure that orders pairs. */
  readonly quality: string;
  readonly baselines: Readonly<Record<'random' | 'oracle', Area>>;
  /** All measures by name, including magnitude; absent if magnitude is the only one. */
  readonly measures?: Readonly<Record<string, Area>>;
}

type Area = Pick<RejectCurve, 'fnmr' | 'genuineLeft' | 'impostorLeft' | 'pauc' | 'paucArea' | 'paucRelative' | 'areas'>;

/** Measures by name, then chance and the oracle. */
type NamedCurve = readonly [name: string, curve: RejectCurve];

export function defineEvaluateReject(command: Command, context: Context): void {
  command.description('Error versus reject: FNMR at a fixed FMR as the pairs of lowest quality are rejected.');
  addSettings(command, settings);
  command.action((flags: Flags) => evaluateReject(flags, context));
}

async function evaluateReject(flags: Flags, context: Context): Promise<void> {
  await expectFileTarget(flags.report, 'report');
  const loaded = await loadPairs(flags);
  const { similarities, same, rows } = loaded;
  if (flags.report !== undefined && flags.by !== 'pairs')
    throw new ConfigError('by', {
      expected: '--by pairs for a report',
      received: flags.by,
      remedy: 'use --by pairs, because the intervals need pairs',
    });
  const options = rejectOptions(flags);
  const others = await readMeasures(loaded, flags.quality ?? []);
  const used = [...new Set([...rows.left, ...rows.right])];
  const curves = Object.entries({ ...others, magnitude: loaded.qualities }).map(([name, values]): NamedCurve => {
    const faces = used.map((row) => values[row]!);
    return [name, errorVersusReject(similarities, same, pairQuality(values, rows), { ...options, faces })];
  });
  const { random, oracle } = rejectBaselines(similarities, same, { ...options, faces: used });
  const [quality, curve] = curves[0]!;
  const record: RejectResult = {
    ...curve,
    quality,
    baselines: { random: of(random), oracle: of(oracle) },
    ...(curves.length > 1 && { measures: Object.fromEntries(curves.map(([name, other]) => [name, of(other)])) }),
  };
  if (flags.quiet !== true) for (const limit of curve.limits) note(context, limit);
  if (flags.report !== undefined) await writeReport(loaded, others, { flags, file: flags.report });
  const all: NamedCurve[] = [...curves, ['by chance', random], ['oracle', oracle]];
  const csv = { rows: all.flatMap(rowsOf), columns };
  await printRecord(context.stdout, { ...record }, { format: formatOf(flags), lines: linesOf(all), csv });
  if (flags.report !== undefined && flags.quiet !== true) note(context, `Report: ${flags.report}`);
}

const of = ({ fnmr, genuineLeft, impostorLeft, pauc, paucArea, paucRelative, areas }: RejectCurve): Area => ({
  ...{ fnmr, genuineLeft, impostorLeft, pauc, paucArea, paucRelative, areas },
});

async function writeReport(
  loaded: LoadedPairs,
  values: Readonly<Record<string, Float64Array>>,
  { flags, file }: { readonly flags: Flags; readonly file: string },
): Promise<void> {
  const { evaluationPage } = await import('../../report/evaluation-page.ts');
  const name = basename(flags.features, extname(flags.features));
  const measures = pairMeasures(loaded, values);
  const { report } = measureModel(loaded, name, {
    folds: Math.min(10, loaded.same.length),
    measures,
    reject: rejectOptions(flags),
  });
  const title = basename(flags.pairs);
  await writeFile(file, evaluationPage({ title, sets: [{ name: title, reports: [report] }] }));
}

/** A curve at one rate, for CSV. */
interface Row {
  readonly measure: string;
  readonly curve: RejectCurve;
  readonly at: number;
}

const rowsOf = ([measure, curve]: NamedCurve): Row[] => curve.rejectRates.map((_, at) => ({ measure, curve, at }));

const columns: readonly Column<Row>[] = [
  { title: 'measure', value: ({ measure }) => measure },
  { title: 'fmr [fraction]', value: ({ curve }) => curve.fmr },
  { title: 'rejected [fraction]', value: ({ curve, at }) => curve.rejectRates[at] },
  { title: 'fnmr [fraction]', value: ({ curve, at }) => curve.fnmr[at] ?? undefined },
  { title: 'threshold [cosine]', value: ({ curve, at }) => curve.thresholds[at] ?? undefined },
  { title: 'genuineLeft [pairs]', value: ({ curve, at }) => curve.genuineLeft[at] },
  { title: 'impostorLeft [pairs]', value: ({ curve, at }) => curve.impostorLeft[at] },
  { title: 'paucLimit [fraction]', value: ({ curve }) => curve.paucLimit },
  { title: 'pauc [mean FNMR]', value: ({ curve }) => curve.pauc ?? undefined },
  { title: 'paucArea [area]', value: ({ curve }) => curve.paucArea ?? undefined },
  { title: 'paucRelative [ratio]', value: ({ curve }) => curve.paucRelative ?? undefined },
  ...[0.2, 0.3].flatMap((limit): Column<Row>[] => [
    { title: `paucArea to ${limit} [area]`, value: ({ curve }) => areaOf(curve, limit)?.paucArea ?? undefined },
    {
      title: `paucRelative to ${limit} [ratio]`,
      value: ({ curve }) => areaOf(curve, limit)?.paucRelative ?? undefined,
    },
  ]),
];

const areaOf = ({ areas }: RejectCurve, limit: number) => areas.find(({ paucLimit }) => paucLimit === limit);

function linesOf(all: readonly NamedCurve[]): string[] {
  const widths = all.map(([name]) => Math.max(10, Math.min(16, name.length + 2)));
  const row = (cells: readonly string[]): string =>
    cells.map((cell, i) => cell.slice(0, widths[i]! - 1).padStart(widths[i]!)).join('');
  const [, curve] = all[0]!;
  const left = (at: number): string =>
    [curve.genuineLeft[at]!, curve.impostorLeft[at]!].map((count) => count.toFixed(0).padStart(9)).join('');
  const figures = (title: string, text: (curve: RejectCurve) => string): string =>
    `${title.padEnd(26)}${row(all.map(([, of]) => text(of)))}`;
  return [
    `${operatingText(curve)}; pairs left by ${all[0]![0]}`,
    `rejected  genuine impostor${row(all.map(([name]) => name))}`,
    ...curve.rejectRates.map(
      (rate, at) =>
        `${asPercent(rate).padStart(8)}${left(at)}${row(all.map(([, { fnmr }]) => (fnmr[at] == null ? '-' : inPercent(fnmr[at]))))}`,
    ),
    figures('pAUC × 10³', ({ paucArea }) => figureText('paucArea', paucArea)),
    figures('pAUC, relative', ({ paucRelative }) => figureText('paucRelative', paucRelative)),
    ...curve.areas
      .filter(({ paucLimit }) => paucLimit !== curve.paucLimit)
      .flatMap(({ paucLimit }) => [
        figures(`pAUC × 10³ to ${asPercent(paucLimit)}`, (of) =>
          figureText('paucArea', areaOf(of, paucLimit)?.paucArea),
        ),
        figures(`  relative`, (of) => figureText('paucRelative', areaOf(of, paucLimit)?.paucRelative)),
      ]),
    paucLine(curve),
  ];
}
