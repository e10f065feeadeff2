/** The tables of the evaluation page. */
import type { GroupReport } from '../eval/groups.ts';
import type { PairReport } from '../eval/pair-report.ts';
import { colourOf } from './evaluation-charts.ts';
import type { EvaluatedSet } from './evaluation-page.ts';
import { escaped, inPercent } from './page.ts';

/** @returns a model's name behind its colour */
const named = (model: string, models: readonly string[]): string =>
  `${models.length > 1 ? `<i style="--series:${colourOf(models.indexOf(model))}"></i>` : ''}${escaped(model)}`;

/** A row for each set and model; the best of a set stands out. */
export function overviewTable(sets: readonly EvaluatedSet[], models: readonly string[]): string {
  const reports = sets.flatMap((set) => set.reports);
  const rates = [...new Set(reports.flatMap(({ verification }) => Object.keys(verification.tarAtFar)))];
  rates.sort((a, b) => Number(b) - Number(a));
  const columns: readonly Column[] = [
    {
      title: 'Accuracy (official)',
      value: (r) => r.verification.accuracy,
      text: (r) => `${inPercent(r.verification.accuracy)} ± ${(100 * r.verification.accuracyStd).toFixed(2)}`,
    },
    {
      title: 'Accuracy (cosine)',
      value: (r) => r.verification.cosineAccuracy,
      text: (r) =>
        `${inPercent(r.verification.cosineAccuracy)} ± ${(100 * r.verification.cosineAccuracyStd).toFixed(2)}`,
    },
    { title: 'AUC', value: (r) => r.verification.auc, text: (r) => r.verification.auc.toFixed(5) },
    { title: 'EER', value: (r) => -r.verification.eer, text: (r) => inPercent(r.verification.eer) },
    ...rates.map((rate) => ({
      title: `TAR at ${rate}`,
      value: (r: PairReport) => r.verification.tarAtFar[rate] ?? -1,
      text: (r: PairReport) =>
        r.verification.tarAtFar[rate] === undefined ? '–' : inPercent(r.verification.tarAtFar[rate]),
    })),
    { title: 'Reject pAUC', value: (r) => -(r.reject.pauc ?? 1), text: (r) => r.reject.pauc?.toFixed(5) ?? '–' },
  ];
  const rows = sets.flatMap(({ name, reports: ofSet }) =>
    ofSet.map((report, i) => [
      ...(sets.length > 1 ? [`<td>${i === 0 ? escaped(name) : ''}</td>`] : []),
      `<td>${named(report.model, models)}</td>`,
      ...columns.map(({ value, text }) => {
        const best = ofSet.length > 1 && ofSet.every((other) => value(report) >= value(other));
        return `<td${best ? ' class="best"' : ''}>${text(report)}</td>`;
      }),
    ]),
  );
  const head = [...(sets.length > 1 ? ['Set'] : []), 'Model', ...columns.map(({ title }) => title)];
  return tableOf(head, rows);
}

interface Column {
  readonly title: string;
  /** Higher is better. */
  readonly value: (report: PairReport) => number;
  readonly text: (report: PairReport) => string;
}

export function thresholdTable(reports: readonly PairReport[], models: readonly string[]): string {
  const range = ([low, high]: readonly [number, number], show: (end: number) => string): string =>
    `${show(low)} to ${show(high)}`;
  const cosine = (value: number): string => value.toFixed(4);
  const rows = reports.flatMap(({ model, thresholds }) =>
    thresholds.map(({ far, threshold, thresholdInterval, tar, tarInterval }, i) => [
      i === 0 ? named(model, models) : '',
      String(far),
      cosine(threshold),
      range(thresholdInterval, cosine),
      inPercent(tar),
      range(tarInterval, inPercent),
    ]),
  );
  return tableOf(['Model', 'FMR', 'Threshold', '95 %', 'TAR', '95 %'], rows.map(cells));
}

/** Every group at the one threshold of all: what differs is how the system treats people. */
export function groupTable(column: string, { fmr, threshold, groups, fnmrRatio, fmrRatio }: GroupReport): string {
  const share = (value: number | null): string => (value === null ? '–' : inPercent(value));
  const rows = groups.map((of) => [
    escaped(of.group),
    String(of.genuine),
    share(of.fnmr),
    String(of.impostor),
    share(of.fmr),
    of.quality.p50.toFixed(2),
    `${of.quality.p5.toFixed(2)} to ${of.quality.p95.toFixed(2)}`,
  ]);
  const ratio = (name: string, value: number | null): string =>
    value === null ? '' : ` Highest ${name} over lowest: ${value.toFixed(2)}.`;
  return `<p class="soft">At the threshold of all pairs, ${threshold.toFixed(4)} for FMR ${fmr}.${ratio('FNMR', fnmrRatio)}${ratio('FMR', fmrRatio)}</p>
${tableOf([column, 'Genuine', 'FNMR', 'Impostor', 'FMR', 'Quality, median', '5 to 95 %'], rows.map(cells))}`;
}

const cells = (row: readonly string[]): string[] => row.map((cell) => `<td>${cell}</td>`);

/** @param rows - cells of HTML, tags and all */
function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const titles = head.map((title) => `<th>${escaped(title)}</th>`).join('');
  return `<div class="scroll"><table><thead><tr>${titles}</tr></thead><tbody>${rows.map((row) => `<tr>${row.join('')}</tr>`).join('')}</tbody></table></div>`;
}
