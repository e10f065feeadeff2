/** `magface evaluate reject`: what is gained by turning the worst pairs away. */
import { writeFile } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { type LoadedPairs, loadPairs } from '../eval/load-pairs.ts';
import { reportPairs } from '../eval/pair-report.ts';
import { errorVersusReject, type RejectBaselines, type RejectCurve, rejectBaselines } from '../eval/reject.ts';
import type { ThresholdRule } from '../eval/reject-points.ts';
import { inPercent } from '../report/page.ts';
import { type Context, note } from './context.ts';
import { addPairFlags, type PairFlags, rate } from './evaluate-options.ts';
import { readMeasures } from './evaluate-report.ts';
import { addOutputFlags, formatOf, type OutputFlags } from './options.ts';
import { printRecord } from './output.ts';
import { expectTargets } from './targets.ts';

interface Flags extends PairFlags, OutputFlags {
  readonly fmr: number;
  readonly quality?: readonly string[];
  readonly threshold: ThresholdRule;
  readonly paucLimit: number;
  readonly report?: string;
}

/** The contract's curve, its baselines, and every other measure. */
interface RejectResult extends RejectCurve {
  /** What orders the pairs. */
  readonly quality: string;
  readonly baselines: Readonly<Record<'random' | 'oracle', Area>>;
  /** All measures by name, magnitude among them; absent when magnitude is the only one. */
  readonly measures?: Readonly<Record<string, Area>>;
}

type Area = Pick<RejectCurve, 'fnmr' | 'pauc'>;

export function defineEvaluateReject(command: Command, context: Context): void {
  command.description('Error versus reject: FNMR at a fixed FMR as the pairs of lowest quality are turned away.');
  addPairFlags(command)
    .option('--fmr <rate>', 'false match rate', rate, 0.001)
    .addOption(
      new Option(
        '--threshold <rule>',
        'official order statistic, exact at every rate, or fixed as ISO/IEC 29794-1 has it',
      )
        .choices(['official', 'exact', 'fixed'])
        .default('exact'),
    )
    .option(
      '--quality <file...>',
      'other measures beside magnitude: "name value" lines, one value a feature, or a table with a header',
    )
    .option('--pauc-limit <rate>', 'reject rate at which the partial area ends', rate, 0.3);
  addOutputFlags(command).option('--report <file.html>', 'a page with all measures on one picture');
  command.action((flags: Flags) => evaluateReject(flags, context));
}

async function evaluateReject(flags: Flags, context: Context): Promise<void> {
  await expectTargets(context, { files: { report: flags.report } });
  const loaded = await loadPairs(flags);
  const { similarities, same } = loaded;
  const others = await readMeasures(loaded, flags.quality ?? []);
  const curves = Object.entries({ ...others, magnitude: loaded.quality }).map(
    ([name, quality]) => [name, errorVersusReject(similarities, same, quality, flags)] as const,
  );
  const baselines = rejectBaselines(similarities, same, flags);
  const [quality, curve] = curves[0]!;
  const record: RejectResult = {
    ...curve,
    quality,
    baselines: { random: of(baselines.random), oracle: of(baselines.oracle) },
    ...(curves.length > 1 && { measures: Object.fromEntries(curves.map(([name, other]) => [name, of(other)])) }),
  };
  if (flags.quiet !== true) for (const limit of curve.limits) note(context, limit);
  if (flags.report !== undefined) await writeReport(loaded, others, { flags, file: flags.report, context });
  await printRecord(context.stdout, { ...record }, { format: formatOf(flags), lines: linesOf(curves, baselines) });
  if (flags.report !== undefined && flags.quiet !== true) note(context, `Report: ${flags.report}`);
}

const of = ({ fnmr, pauc }: RejectCurve): Area => ({ fnmr, pauc });

async function writeReport(
  loaded: LoadedPairs,
  measures: Readonly<Record<string, Float64Array>>,
  { flags, file, context }: { readonly flags: Flags; readonly file: string; readonly context: Context },
): Promise<void> {
  const { evaluationPage } = await import('../report/evaluation-page.ts');
  const { fmr, threshold, paucLimit } = flags;
  const name = basename(flags.features, extname(flags.features));
  const report = reportPairs(loaded, name, {
    folds: Math.min(10, loaded.same.length),
    measures,
    reject: { fmr, threshold, paucLimit },
  });
  const title = basename(flags.pairs);
  await writeFile(resolve(context.cwd, file), evaluationPage({ title, sets: [{ name: title, reports: [report] }] }));
}

function linesOf(curves: readonly (readonly [string, RejectCurve])[], { random, oracle }: RejectBaselines): string[] {
  const columns = [...curves, ['by chance', random] as const, ['oracle', oracle] as const];
  const widths = columns.map(([name]) => Math.max(10, Math.min(16, name.length + 2)));
  const row = (cells: readonly string[]): string =>
    cells.map((cell, i) => cell.slice(0, widths[i]! - 1).padStart(widths[i]!)).join('');
  const cell = (value: number | null | undefined): string => (value == null ? '-' : inPercent(value));
  const [, curve] = curves[0]!;
  return [
    `FNMR at FMR ${curve.fmr}, ${curve.threshold} threshold`,
    `rejected${row(columns.map(([name]) => name))}`,
    ...curve.rejectRates.map(
      (at, i) => `${`${Math.round(100 * at)} %`.padStart(8)}${row(columns.map(([, { fnmr }]) => cell(fnmr[i])))}`,
    ),
    `    pAUC${row(columns.map(([, { pauc }]) => pauc?.toFixed(5) ?? '-'))}   mean FNMR to ${Math.round(100 * curve.paucLimit)} %`,
  ];
}
