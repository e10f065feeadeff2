/** Names and formats of figures, on pages and in the terminal. */
import type { Interval } from '../eval/bootstrap.ts';
import type { FigureComparison } from '../eval/compare-models.ts';
import type { PairReport } from '../eval/pair-report.ts';
import { asPercent, type RejectCurve } from '../eval/reject.ts';
import { inPercent } from './page.ts';

const titles: Readonly<Record<string, string>> = {
  accuracy: 'Accuracy (official)',
  cosineAccuracy: 'Accuracy (cosine)',
  auc: 'AUC',
  eer: 'EER',
  paucArea: 'pAUC × 10³',
  paucRelative: 'pAUC, relative',
};

/** @returns `TAR at FAR 0.001` for `tar@0.001`, and so on */
export const figureTitle = (name: string): string => titles[name] ?? name.replace('tar@', 'TAR at FAR ');

/** @returns the value in the unit of its title; a dash if unknown */
export function figureText(name: string, value: number | null | undefined): string {
  if (value == null) return '–';
  if (name === 'auc') return value.toFixed(5);
  if (name === 'paucArea') return (1000 * value).toPrecision(3);
  if (name === 'paucRelative') return value.toFixed(3);
  return inPercent(value);
}

/** @returns a report's value for a figure, by its name in JSON */
export function figureValue({ verification, reject }: PairReport, name: string): number | null {
  if (name === 'paucArea' || name === 'paucRelative') return reject[name];
  if (name.startsWith('tar@')) return verification.tarAtFar[name.slice(4)] ?? null;
  return verification[name as 'accuracy' | 'cosineAccuracy' | 'auc' | 'eer'];
}

/** @returns `FNMR at FMR 0.001, exact threshold`, or the same for a start FNMR */
export const operatingText = ({ fmr, threshold, startFnmr }: RejectCurve): string =>
  startFnmr === undefined
    ? `FNMR at FMR ${fmr}, ${threshold} threshold`
    : `FNMR at a start FNMR of ${startFnmr} (FMR ${Number(fmr.toPrecision(3))}), fixed threshold`;

/** @returns what a reject rate is a share of */
export const unitText = ({ unit }: RejectCurve): string =>
  unit === 'pairs' ? 'the pairs' : unit === 'genuine' ? 'the genuine pairs' : 'the faces';

/** Caption of pAUC: rate, rule and limit. */
export const paucCaption = (curve: RejectCurve): string =>
  `pAUC is the area below the ${operatingText(curve).replace(/, (\w+ threshold)$/, ' ($1)')} while ${asPercent(curve.rejectRates[0]!)} to ${asPercent(curve.paucLimit)} of ${unitText(curve)} are rejected. It judges recogniser and quality together. Relative pAUC divides its mean by the FNMR with nothing rejected and judges the quality alone: 1 is no gain.`;

/** The same in one line, for the terminal. */
export const paucLine = (curve: RejectCurve): string =>
  `pAUC: ${operatingText(curve)}, ${asPercent(curve.rejectRates[0]!)} to ${asPercent(curve.paucLimit)} of ${unitText(curve)} rejected; relative: 1 is no gain`;

/** @returns `0.10 points`, `0.00012`: a difference of two values, in the figure's unit */
export function differenceText(name: string, value: number): string {
  if (name === 'auc') return signed(value, 5);
  if (name === 'paucArea') return signed(1000 * value, 2);
  if (name === 'paucRelative') return signed(value, 3);
  return `${signed(100 * value, 2)} points`;
}

/** @returns `−0.55 to 0.75`: an interval of differences, in the unit of {@link differenceText} */
export const differenceRange = (name: string, interval: Interval): string =>
  interval.map((end) => differenceText(name, end).replace(' points', '')).join(' to ');

const signed = (value: number, digits: number): string =>
  value
    .toFixed(digits)
    .replace(/^-(?=0\.?0*$)/, '')
    .replace('-', '−');

/** @returns which model leads, or that the pairs show no difference */
export function comparisonText(comparison: FigureComparison, reports: readonly PairReport[]): string {
  const { figure, best, shown, others } = comparison;
  const of = (model: string): string => {
    const report = reports.find((entry) => entry.model === model)!;
    return `${model} (${figureText(figure, figureValue(report, figure))})`;
  };
  const gap = ({ difference, interval }: FigureComparison['others'][number]): string =>
    `${differenceText(figure, difference)}${interval === null ? '' : ` (${differenceRange(figure, interval)})`}`;
  const title = figureTitle(figure);
  if (shown)
    return `${title}: ${of(best)} is better than ${others.map((other) => `${of(other.model)} by ${gap(other)}`).join(' and ')}.`;
  const open = others.filter(({ interval }) => interval === null || interval[0] <= 0);
  const listed = open.map((other) => `${of(other.model)}: ${gap(other)}`).join('; and ');
  return `${title}: no difference that these pairs can show between ${of(best)} and ${listed}.`;
}
