/** `magface evaluate pairs`: the official ten folds and further figures. */
import { type Command, InvalidArgumentError } from 'commander';
import { estimateThresholds, type ThresholdEstimate } from '../../eval/bootstrap.ts';
import { type GroupReport, ratesByGroup } from '../../eval/groups.ts';
import { identitiesOf } from '../../eval/identities.ts';
import { type LoadedPairs, loadPairs } from '../../eval/load-pairs.ts';
import { type QMagFaceFigures, type QMagFaceLine, qmagfaceFigures } from '../../eval/qmagface.ts';
import { fitQualityDecision, type QualityDecision } from '../../eval/quality-decision.ts';
import { measureMeaning, type QualityMeaning } from '../../eval/quality-meaning.ts';
import { type Verification, verify } from '../../eval/verification.ts';
import { inPercent } from '../../report/page.ts';
import type { ConfigOf } from '../../settings/setting.ts';
import { type Context, note } from '../context.ts';
import { formatOf, outputSettings } from '../options.ts';
import { printRecord } from '../output.ts';
import { addSettings } from '../setting-flags.ts';
import { figureColumns } from './columns.ts';
import { meaningLines, scaleOf } from './meaning.ts';
import { foldSettings, pairSettings, reliabilitySettings } from './options.ts';

/** @throws {InvalidArgumentError} if it is neither `fit` nor two numbers */
function lineOf(text: string): QMagFaceLine | 'fit' {
  if (text === 'fit') return text;
  const [alpha, beta, ...others] = text.split(',').map(Number);
  if (others.length === 0 && Number.isFinite(alpha) && Number.isFinite(beta)) return { alpha: alpha!, beta: beta! };
  throw new InvalidArgumentError('Expected two numbers, such as 0.077428,0.125926, or fit.');
}

const settings = {
  ...pairSettings,
  ...foldSettings,
  far: {
    group: 'Protocol:',
    takes: 'rates',
    value: '<rate>',
    says: 'false accept rate to report',
    otherwise: '0.1, 0.01, 0.001, 0.0001',
  },
  intervals: {
    group: 'Protocol:',
    takes: 'boolean',
    value: '',
    says: 'add 95 % intervals of thresholds and TAR, by a bootstrap over people',
  },
  qualityBins: {
    group: 'Protocol:',
    takes: 'count',
    value: '<n>',
    says: 'also fit one threshold per quality bin (n bins) and test it on held-out folds',
  },
  qmagface: {
    group: 'Protocol:',
    takes: 'text',
    parse: lineOf,
    value: '<line>',
    says: 'also compare with quality, by QMagFace: α and β, such as 0.077428,0.125926, or fit, by the other folds',
  },
  ...reliabilitySettings,
  scale: {
    group: 'Protocol:',
    takes: 'text',
    parse: scaleOf,
    value: '<centre,width>',
    says: 'quality scale of the model, to judge its scores as well',
  },
  ...outputSettings,
} as const;

type Flags = ConfigOf<typeof settings>;

/** The contract's fields and the requested ones. */
interface PairsResult extends Verification, Partial<QualityMeaning> {
  readonly thresholds?: readonly ThresholdEstimate[];
  readonly qualityDecision?: QualityDecision;
  readonly qmagface?: QMagFaceFigures;
  readonly groups?: Readonly<Record<string, GroupReport>>;
}

export function defineEvaluatePairs(command: Command, context: Context): void {
  command.description('One-to-one verification: accuracy over folds, exact TAR at FAR, AUC, EER, rates by group.');
  addSettings(command, settings).action(async (flags: Flags) => {
    const loaded = await loadPairs(flags);
    const result = measure(loaded, flags);
    if (flags.quiet !== true) for (const limit of result.limits) note(context, limit);
    const csv = { rows: [result], columns: figureColumns([result]) };
    await printRecord(context.stdout, { ...result }, { format: formatOf(flags), lines: linesOf(result), csv });
  });
}

function measure(
  loaded: LoadedPairs,
  { folds, far, intervals, qualityBins: bins, qmagface, reliability, scale }: Flags,
): PairsResult {
  const { features, rows, similarities, same, columns } = loaded;
  const people = identitiesOf(rows, features.names);
  const result = verify(features, rows, far === undefined ? { folds } : { folds, far });
  const told = Object.keys(result.tarAtFar).map(Number);
  const fmr = told.length > 0 ? Math.min(...told) : 0.1;
  const groups = Object.entries(columns).map(([name, column]) => [name, ratesByGroup(loaded, column, fmr)] as const);
  return {
    ...result,
    ...(intervals && {
      thresholds: estimateThresholds(similarities, same, people, { far: told }),
    }),
    ...(bins !== undefined && { qualityDecision: fitQualityDecision(loaded, people, { fmr, bins, folds }) }),
    ...(qmagface !== undefined && {
      qmagface: qmagfaceFigures(loaded, { line: qmagface === 'fit' ? undefined : qmagface, folds, far: told }),
    }),
    ...(groups.length > 0 && { groups: Object.fromEntries(groups) }),
    ...(reliability !== undefined && measureMeaning(loaded, people, { fmr, bins: reliability, scale })),
  };
}

function linesOf(result: PairsResult): string[] {
  const { accuracy, accuracyStd, cosineAccuracy, cosineAccuracyStd, qualityDecision, groups = {} } = result;
  const interval = (far: string): string => {
    const estimate = result.thresholds?.find((point) => String(point.far) === far);
    return estimate === undefined ? '' : `   95 %: ${estimate.tarInterval.map((end) => inPercent(end)).join(' to ')}`;
  };
  return [
    `Pairs          ${result.pairs}: ${result.genuine} genuine, ${result.impostor} impostor`,
    `Accuracy       ${inPercent(accuracy)} ± ${inPercent(accuracyStd)}   official protocol, ${result.folds} folds`,
    `               ${inPercent(cosineAccuracy)} ± ${inPercent(cosineAccuracyStd)}   plain cosine, exact thresholds`,
    `AUC, EER       ${result.auc.toFixed(5)}, ${inPercent(result.eer)}`,
    ...Object.entries(result.tarAtFar).map(
      ([far, tar]) =>
        `TAR at ${far.padEnd(7)} ${inPercent(tar)}   threshold ${result.thresholdAtFar[far]?.toFixed(4)}${interval(far)}`,
    ),
    ...(qualityDecision === undefined ? [] : [qualityLine(qualityDecision)]),
    ...(result.qmagface === undefined ? [] : qmagfaceLines(result.qmagface)),
    ...Object.entries(groups).flatMap(([name, report]) => groupLines(name, report)),
    ...(result.reliability === undefined ? [] : meaningLines({ ...result, reliability: result.reliability })),
  ];
}

function qualityLine({ fmr, bins, better, heldOutTar, gainInterval }: QualityDecision): string {
  const gain = gainInterval.map((end) => (100 * end).toFixed(2)).join(' to ');
  const verdict = `gain ${gain} points: ${better ? 'better' : 'not shown to be better, use one threshold'}`;
  const limits = bins.map((bin) => bin.threshold.toFixed(4)).join(', ');
  return `By quality     TAR ${inPercent(heldOutTar.binned)} against ${inPercent(heldOutTar.plain)} at FMR ${fmr} on held-out folds (${verdict}); thresholds ${limits}`;
}

function qmagfaceLines({ line, fitted, accuracy, auc, eer, tarAtFar }: QMagFaceFigures): string[] {
  const constants = `α ${line.alpha.toPrecision(4)}, β ${line.beta.toPrecision(4)}`;
  const tars = Object.entries(tarAtFar).map(([far, tar]) => `${inPercent(tar)} at ${far}`);
  return [
    `QMagFace       ${inPercent(accuracy)}, AUC ${auc.toFixed(5)}, EER ${inPercent(eer)}, TAR ${tars.join(', ')}`,
    `               ${constants}${fitted ? '; the figures use those of the other folds' : ''}`,
  ];
}

function groupLines(name: string, { fmr, groups }: GroupReport): string[] {
  const share = (value: number | null): string => (value === null ? '-' : inPercent(value));
  return [
    `By ${name} at the threshold of FMR ${fmr}:`,
    ...groups.map(
      ({ group, fnmr, fmr: own, quality, genuine, impostor }) =>
        `  ${group}: FNMR ${share(fnmr)} of ${genuine}, FMR ${share(own)} of ${impostor}, median quality ${quality.p50.toFixed(2)}`,
    ),
  ];
}
