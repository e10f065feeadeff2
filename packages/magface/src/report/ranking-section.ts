/** The page's section on quality measures: which attains most where, ranked tables, and how the numbers were made. */

import type { PairReport } from '../eval/pair-report.ts';
import { asPercent } from '../eval/reject.ts';
import type { EvaluatedSet } from './evaluated-set.ts';
import { figureText } from './figure-text.ts';
import { lineStyle, measureChart } from './measure-chart.ts';
import { counted, escaped } from './page.ts';
import {
  type RankedMeasure,
  rankingCaption,
  rankingCells,
  rankingLatex,
  rankingMarkdown,
  rankingTitles,
  rankMeasures,
} from './ranking.ts';
import { standings, standingsLatex, standingsMarkdown } from './standings.ts';

/** How a page's numbers were made. */
export interface Provenance {
  /** The exact command. */
  readonly command: string;
  /** What was used, a line each: models, sets and versions with their digests. */
  readonly parts: readonly (readonly [what: string, value: string])[];
  /** What each measure is, by name. */
  readonly measures: Readonly<Record<string, string>>;
}

/** Reports with other measures than the magnitude. */
const compared = ({ reports }: EvaluatedSet): readonly PairReport[] =>
  reports.filter(({ measures }) => measures.length > 0);

/** @returns nothing for a page on which magnitude is the only measure */
export function rankingSection(sets: readonly EvaluatedSet[]): string {
  const tables = sets.flatMap((set) => compared(set).map((report) => rankedTable(set.name, report)));
  return tables.length === 0
    ? ''
    : `<section id="measures"><h2>Quality measures, ranked</h2>${standingsTable(sets)}${tables.join('\n')}</section>`;
}

/** The answer in one or two sentences; undefined without other measures. */
export function rankingVerdict(sets: readonly EvaluatedSet[]): string | undefined {
  const cells = sets.flatMap((set) =>
    compared(set).flatMap((report) => {
      const ranked = rankMeasures(report).filter(({ attained }) => attained !== null);
      return ranked.length < 2 ? [] : [{ set: set.name, report, ranked }];
    }),
  );
  if (cells.length === 0)
    return sets.some((set) => compared(set).length > 0)
      ? 'These pairs hold no errors by which to rank the measures.'
      : undefined;
  const shown = cells.filter(({ report }) => report.bestMeasure?.shown === true).length;
  if (cells.length === 1) {
    const [{ set, report, ranked }] = cells as [(typeof cells)[number]];
    const lead =
      shown === 1
        ? 'It is better than every other measure beyond chance.'
        : 'No measure is better than every other beyond chance.';
    return `On ${set} with ${report.model}, ${ranked[0]!.name} tells best that a face will fail: rejecting by it attains ${whole(ranked[0]!.attained!)} of what an oracle would gain. ${lead}`;
  }
  const wins = new Map<string, number>();
  for (const { ranked } of cells) wins.set(ranked[0]!.name, (wins.get(ranked[0]!.name) ?? 0) + 1);
  const order = [...wins].sort((a, b) => b[1] - a[1]);
  const [first] = standings(sets).rows;
  const winners = order.map(([name, count]) => `${name} ${count === 1 ? 'once' : `${count} times`}`).join(', ');
  return `Which number tells that a face will fail? On average ${first!.name} tells most: rejecting by it attains ${whole(first!.mean!)} of what an oracle would gain. Of ${counted(cells.length, 'comparison')}, each of a set and a model, the best is ${winners}; it is better than every other measure beyond chance in ${shown === 0 ? 'none of them' : shown}.`;
}

/** Every measure on every set and model, so that one look compares them. */
function standingsTable(sets: readonly EvaluatedSet[]): string {
  const table = standings(sets);
  if (table.columns.length < 2) return '';
  const head = ['Measure', 'mean', ...table.columns.map(({ set, model }) => `${set}, ${model}`)];
  const rows = table.rows.map(({ name, mean, cells }) => {
    const of = cells.map((cell, i) => shareCell(cell, cell !== null && cell === table.columns[i]!.best));
    return `<tr><td>${escaped(name)}</td>${shareCell(mean, false)}${of.join('')}</tr>`;
  });
  const caption =
    'Share of what an oracle gains over chance that each measure attains: 1 is the oracle, 0 is chance, below 0 is worse than chance. Bold: the best of its column. A dash: not measured there, or no errors; a measure that is missing somewhere has no mean and comes last.';
  return `<h3>What each measure attains</h3><p class="soft">${caption}</p><div class="scroll"><table class="shares"><thead><tr>${head.map((title) => `<th>${escaped(title)}</th>`).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></div>
<details class="copy"><summary>Copy this table</summary>${copied('Markdown', standingsMarkdown(table))}${copied('LaTeX', standingsLatex(table))}</details>`;
}

function shareCell(value: number | null, best: boolean): string {
  if (value === null) return '<td>–</td>';
  const width = Math.round(100 * Math.min(1, Math.max(0, value)));
  return `<td${best ? ' class="best"' : ''} style="--share:${width}%">${signed(value)}</td>`;
}

/** `56 %`, kept on one line. */
const whole = (share: number): string => `${Math.round(100 * share)}\u00a0%`;
const signed = (value: number): string => value.toFixed(3).replace('-', '−');

function rankedTable(set: string, report: PairReport): string {
  const rows = rankMeasures(report);
  const caption = rankingCaption(set, report);
  const shown = report.bestMeasure?.shown === true;
  const body = rows.map((row, place) => {
    const [name, ...cells] = rankingCells(row).map(escaped);
    return `<tr${place === 0 && shown ? ' class="best"' : ''}><td><button type="button" class="line" data-line="${name}">${lineSign(place)}${name}</button></td>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  const head = rankingTitles.map((title) => `<th>${escaped(title)}</th>`).join('');
  const said = shown
    ? 'The best measure is better than every other beyond chance.'
    : 'No measure is better than every other beyond chance.';
  return `<h3>${escaped(set)}, scores of ${escaped(report.model)}</h3><div class="ranked"><figure>${measureChart(report, rows)}<figcaption>Dashed: chance decides who goes. Dotted: an oracle turns refused genuine pairs away first. The upright line ends pAUC. The pale area is the 95 % interval of the best. Point at a name, or tap it, to see its line alone.</figcaption></figure>
<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div></div>
<p class="soft below">${escaped(caption)} ${said}</p>${derivation(report, rows)}
<details class="copy"><summary>Copy this table</summary>${copied('Markdown', rankingMarkdown(caption, rows))}${copied('LaTeX', rankingLatex(caption, rows))}</details>`;
}

const lineSign = (place: number): string => {
  const { stroke, dashes } = lineStyle(place);
  return `<svg viewBox="0 0 26 8" aria-hidden="true"><line x1="0" y1="4" x2="26" y2="4" stroke="${stroke}" stroke-width="2.5"${dashes === undefined ? '' : ` stroke-dasharray="${dashes}"`}/></svg>`;
};

/** The best measure's numbers, step by step. */
function derivation({ reject, baselines, verification }: PairReport, [best]: readonly RankedMeasure[]): string {
  const area = (value: number | null): string => figureText('paucArea', value);
  const { name, curve, attained } = best!;
  const { random, oracle } = baselines;
  const end = reject.rejectRates.findLastIndex((rate) => rate <= reject.paucLimit + 1e-9);
  const percent = (value: number | null | undefined): string => (value == null ? '–' : `${(100 * value).toFixed(2)} %`);
  const steps = [
    `${verification.genuine.toLocaleString('en')} genuine and ${verification.impostor.toLocaleString('en')} impostor pairs; the quality of a pair is the lower of its two faces.`,
    `Threshold without rejection: cosine ${reject.thresholds[0]?.toFixed(4) ?? '–'}; it refuses ${percent(reject.fnmrOfAll)} of the genuine pairs.`,
    `Rejecting ${asPercent(reject.rejectRates[end]!)} of the pairs by ${name} leaves ${Math.round(curve.genuineLeft[end]!).toLocaleString('en')} genuine and ${Math.round(curve.impostorLeft[end]!).toLocaleString('en')} impostor pairs and an FNMR of ${percent(curve.fnmr[end])}; by chance it would be ${percent(random.fnmr[end])}, by the oracle ${percent(oracle.fnmr[end])}.`,
    `Areas below the curves × 10³, by the trapezoidal rule over ${end + 1} rates: chance ${area(random.paucArea)}, ${name} ${area(curve.paucArea)}, oracle ${area(oracle.paucArea)}.`,
    attained === null
      ? 'Chance and oracle have the same area: nothing can be attained.'
      : `Attained: (${area(random.paucArea)} − ${area(curve.paucArea)}) / (${area(random.paucArea)} − ${area(oracle.paucArea)}) = ${signed(attained)}, from unrounded areas.`,
  ];
  return `<details><summary>How the first row is computed</summary><ol>${steps.map((step) => `<li>${escaped(step)}</li>`).join('')}</ol></details>`;
}

const copied = (format: string, text: string): string =>
  `<figure><figcaption>${format} <button type="button" hidden>Copy</button></figcaption><pre>${escaped(text)}</pre></figure>`;

export function provenanceSection({ command, parts, measures }: Provenance): string {
  const row = ([what, value]: readonly [string, string]): string =>
    `<dt>${escaped(what)}</dt><dd>${escaped(value)}</dd>`;
  return `<section id="provenance"><h2>How these numbers were made</h2>
<pre>${escaped(command)}</pre>
<dl>${parts.map(row).join('')}</dl>
<h3>Measures</h3><dl>${Object.entries(measures).map(row).join('')}</dl></section>`;
}
