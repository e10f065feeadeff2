/** The tables of the evaluation page. */
import type { GroupReport } from '../eval/groups.ts';
import type { PairReport } from '../eval/pair-report.ts';
import type { EvaluatedSet } from './evaluated-set.ts';
import { colourOf } from './evaluation-charts.ts';
import { comparisonText, figureText, figureTitle, figureValue, paucCaption } from './figure-text.ts';
import { escaped, inPercent } from './page.ts';

/** @returns a model's name after its colour */
const named = (model: string, models: readonly string[]): string =>
  `${models.length > 1 ? `<i style="--series:${colourOf(models.indexOf(model))}"></i>` : ''}${escaped(model)}`;

/** A row for each set and model. A value is highlighted if it is significantly better than all others of its set. */
export function overviewTable(sets: readonly EvaluatedSet[], models: readonly string[]): string {
  const reports = sets.flatMap((set) => set.reports);
  const rates = [...new Set(reports.flatMap(({ verification }) => Object.keys(verification.tarAtFar)))];
  rates.sort((a, b) => Number(b) - Number(a));
  const figures = [
    'accuracy',
    'cosineAccuracy',
    'auc',
    'eer',
    ...rates.map((rate) => `tar@${rate}`),
    'paucArea',
    'paucRelative',
  ];
  const rows = sets.flatMap(({ name, reports: ofSet, comparisons = [] }) =>
    ofSet.map((report, i) => [
      ...(sets.length > 1 ? [`<td>${i === 0 ? escaped(name) : ''}</td>`] : []),
      `<td>${named(report.model, models)}</td>`,
      ...figures.map((figure) => {
        const best = comparisons.some((of) => of.figure === figure && of.shown && of.best === report.model);
        const interval = report.intervals[figure];
        const range = interval == null ? '' : `<small>${rangeText(figure, interval)}</small>`;
        return `<td${best ? ' class="best"' : ''}>${figureText(figure, figureValue(report, figure))}${spreadText(figure, report)}${range}</td>`;
      }),
    ]),
  );
  const head = [...(sets.length > 1 ? ['Set'] : []), 'Model', ...figures.map(figureTitle)];
  return tableOf(head, rows);
}

/** What the table's figures mean, and which differences the pairs show. */
export function overviewNotes(sets: readonly EvaluatedSet[]): string {
  const captions = new Set(sets.flatMap(({ reports }) => reports.map(({ reject }) => paucCaption(reject))));
  const several = sets.some(({ reports }) => reports.length > 1);
  const lists = sets
    .filter(({ comparisons = [] }) => comparisons.length > 0)
    .map(({ name, comparisons = [], reports }) => {
      const items = comparisons.map((comparison) => `<li>${escaped(comparisonText(comparison, reports))}</li>`);
      return `${sets.length > 1 ? `<h3>${escaped(name)}</h3>` : ''}<ul class="differences">${items.join('')}</ul>`;
    });
  return `<p class="soft below">± is the standard deviation over folds. Small figures are 95 % intervals by a bootstrap over people. ${several ? 'Bold: better than every other model of the set beyond chance. ' : ''}${[...captions].map(escaped).join(' ')}</p>
${lists.length === 0 ? '' : `<details open><summary>Differences between models</summary><p class="soft">In brackets the interval of the difference, from the same draws of people for all models; 95 % for all pairs of models together.</p>${lists.join('')}</details>`}`;
}

/** Spread of accuracy over the folds, as in papers. */
function spreadText(figure: string, { verification: { accuracyStd, cosineAccuracyStd } }: PairReport): string {
  const std = { accuracy: accuracyStd, cosineAccuracy: cosineAccuracyStd }[figure];
  return std === undefined ? '' : ` ± ${(100 * std).toFixed(2)}`;
}

/** Both ends, with the figure's unit given once. */
const rangeText = (figure: string, [low, high]: readonly [number, number]): string =>
  `${figureText(figure, low).replace(' %', '')} to ${figureText(figure, high).replace(' %', '')}`;

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

/** Every group at the common threshold: differences show how the system treats people. */
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
    value === null ? '' : ` Highest ${name} over lowest, groups at 0 left out: ${value.toFixed(2)}.`;
  return `<p class="soft">At the threshold of all pairs, ${threshold.toFixed(4)} for FMR ${fmr}.${ratio('FNMR', fnmrRatio)}${ratio('FMR', fmrRatio)}</p>
${tableOf([column, 'Genuine', 'FNMR', 'Impostor', 'FMR', 'Quality, median', '5 to 95 %'], rows.map(cells))}`;
}

const cells = (row: readonly string[]): string[] => row.map((cell) => `<td>${cell}</td>`);

/** @param rows - HTML cells, tags included */
function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const titles = head.map((title) => `<th>${escaped(title)}</th>`).join('');
  return `<div class="scroll"><table><thead><tr>${titles}</tr></thead><tbody>${rows.map((row) => `<tr>${row.join('')}</tr>`).join('')}</tbody></table></div>`;
}
