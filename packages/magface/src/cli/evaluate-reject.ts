/** `magface evaluate reject`: what is gained by turning the worst pairs away. */
import { type Command, Option } from 'commander';
import { loadPairs } from '../eval/load-pairs.ts';
import {
  errorVersusReject,
  type RejectBaselines,
  type RejectCurve,
  rejectBaselines,
  type ThresholdRule,
} from '../eval/reject.ts';
import { type Context, note } from './context.ts';
import { addPairFlags, inPercent, type PairFlags, rate } from './evaluate-options.ts';
import { addOutputFlags, formatOf, type OutputFlags } from './options.ts';
import { printRecord } from './output.ts';

interface Flags extends PairFlags, OutputFlags {
  readonly fmr: number;
  readonly quality?: string;
  readonly threshold: ThresholdRule;
  readonly paucLimit: number;
}

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
    .option('--quality <file>', 'another measure: "name value" lines, or one value a feature (default: magnitude)')
    .option('--pauc-limit <rate>', 'reject rate at which the partial area ends', rate, 0.3);
  addOutputFlags(command).action(async (flags: Flags) => {
    const { similarities, same, quality } = await loadPairs(flags);
    const curve = errorVersusReject(similarities, same, quality, flags);
    const { random, oracle } = rejectBaselines(similarities, same, flags);
    const record = { ...curve, baselines: { random: of(random), oracle: of(oracle) } };
    if (flags.quiet !== true) for (const limit of curve.limits) note(context, limit);
    await printRecord(context.stdout, record, { format: formatOf(flags), lines: linesOf(curve, { random, oracle }) });
  });
}

const of = ({ fnmr, pauc }: RejectCurve): Pick<RejectCurve, 'fnmr' | 'pauc'> => ({ fnmr, pauc });

function linesOf(curve: RejectCurve, { random, oracle }: RejectBaselines): string[] {
  const cell = (value: number | null | undefined): string => (value == null ? '-' : inPercent(value)).padStart(10);
  const area = ({ pauc }: RejectCurve): string => (pauc === null ? '-' : pauc.toFixed(5)).padStart(10);
  return [
    `FNMR at FMR ${curve.fmr}, ${curve.threshold} threshold`,
    `rejected${'by quality'.padStart(12)}${'by chance'.padStart(10)}${'oracle'.padStart(10)}`,
    ...curve.rejectRates.map(
      (at, i) =>
        `${`${Math.round(100 * at)} %`.padStart(8)}  ${cell(curve.fnmr[i])}${cell(random.fnmr[i])}${cell(oracle.fnmr[i])}`,
    ),
    `    pAUC  ${area(curve)}${area(random)}${area(oracle)}   mean FNMR up to ${Math.round(100 * curve.paucLimit)} % rejected`,
  ];
}
