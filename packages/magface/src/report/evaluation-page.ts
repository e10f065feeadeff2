/** One self-contained page on models and a list of pairs: figures, curves, distributions, hardest pairs. */
import type { PairExample, PairReport } from '../eval/pair-report.ts';
import {
  colourOf,
  detChart,
  histogramChart,
  kindColours,
  placeOfMeasure,
  rejectChart,
  rocChart,
} from './evaluation-charts.ts';
import { escaped } from './page.ts';

/** What a page shows. */
export interface EvaluationPage {
  /** The list of pairs, by the name that people know. */
  readonly title: string;
  /** One a model, in the order of their colours; at least one. */
  readonly reports: readonly PairReport[];
  /** Pictures of images by name, as data addresses; images without one are shown by name alone. */
  readonly pictures?: ReadonlyMap<string, string>;
}

/** @returns the whole HTML file; it loads nothing. */
export function evaluationPage({ title, reports, pictures = new Map() }: EvaluationPage): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}: verification</title>
<style>${style}</style>
</head>
<body>
<header><h1>${escaped(title)}</h1><p>${pairsLine(reports[0]!)}</p></header>
<main>
<section><h2>Models</h2>${summaryTable(reports)}</section>
<section><h2>Curves</h2>${modelLegend(reports)}
<div class="charts">
<figure>${rocChart(reports)}<figcaption>ROC, exact points</figcaption></figure>
<figure>${detChart(reports)}<figcaption>DET: lower is better</figcaption></figure>
<figure>${rejectChart(reports)}<figcaption>Error versus reject. Dashed: pairs turned away by chance; dotted: the errors first (no order is better).${measureLegend(reports)}</figcaption></figure>
</div></section>
<section><h2>Thresholds</h2><p>The lowest cosine that keeps the false match rate, with 95 % intervals by a bootstrap over people.</p>${thresholdTable(reports)}</section>
${reports.map((report) => modelSection(report, pictures)).join('\n')}
</main>
</body>
</html>
`;
}

const percent = (share: number, digits = 2): string => `${(100 * share).toFixed(digits)} %`;

const pairsLine = ({ verification: { pairs, genuine, impostor, folds, limits } }: PairReport): string =>
  [`${pairs} pairs: ${genuine} genuine, ${impostor} impostor; ${folds} folds.`, ...limits].map(escaped).join(' ');

const swatch = (colour: string): string => `<span class="swatch" style="background:${colour}"></span>`;

function modelLegend(reports: readonly PairReport[]): string {
  return `<p class="legend">${reports.map(({ model }, i) => `${swatch(colourOf(i))}${escaped(model)}`).join(' ')}</p>`;
}

/** What the lines of other measures are, with their areas. */
function measureLegend(reports: readonly PairReport[]): string {
  const entries = reports.flatMap(({ model, measures }, i) =>
    measures.map(
      ({ name, reject }, k) =>
        `${swatch(colourOf(placeOfMeasure(reports, i, k)))}${escaped(name)} on ${escaped(model)}: pAUC ${reject.pauc?.toFixed(5) ?? '–'}`,
    ),
  );
  return entries.length === 0 ? '' : `<br>Other measures: ${entries.join(', ')}`;
}

function summaryTable(reports: readonly PairReport[]): string {
  const rates = [...new Set(reports.flatMap(({ verification }) => Object.keys(verification.tarAtFar)))];
  rates.sort((a, b) => Number(b) - Number(a));
  const head = [
    'Model',
    'Accuracy (official)',
    'Accuracy (cosine)',
    'AUC',
    'EER',
    ...rates.map((rate) => `TAR at ${rate}`),
  ];
  const rows = reports.map(({ model, verification: v }, i) => [
    `${swatch(colourOf(i))}${escaped(model)}`,
    `${percent(v.accuracy)} ± ${percent(v.accuracyStd)}`,
    `${percent(v.cosineAccuracy)} ± ${percent(v.cosineAccuracyStd)}`,
    v.auc.toFixed(5),
    percent(v.eer),
    ...rates.map((rate) => (v.tarAtFar[rate] === undefined ? '–' : percent(v.tarAtFar[rate]))),
    `${reports[i]!.reject.pauc?.toFixed(5) ?? '–'}`,
  ]);
  return table([...head, 'Reject pAUC'], rows);
}

function thresholdTable(reports: readonly PairReport[]): string {
  const range = (ends: readonly number[], show: (end: number) => string): string =>
    `${show(ends[0]!)} to ${show(ends[1]!)}`;
  const cosine = (value: number): string => value.toFixed(4);
  const rows = reports.flatMap(({ model, thresholds }, i) =>
    thresholds.map((point) => [
      `${swatch(colourOf(i))}${escaped(model)}`,
      String(point.far),
      cosine(point.threshold),
      range(point.thresholdInterval, cosine),
      percent(point.tar),
      range(point.tarInterval, percent),
    ]),
  );
  return table(['Model', 'FMR', 'Threshold', '95 %', 'TAR', '95 %'], rows);
}

/** @param rows - cells of HTML */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: 'th' | 'td'): string =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`;
  return `<div class="scroll"><table><thead>${line(head.map(escaped), 'th')}</thead><tbody>${rows.map((row) => line(row, 'td')).join('')}</tbody></table></div>`;
}

function modelSection(
  { model, similarities, qualities, hardest }: PairReport,
  pictures: ReadonlyMap<string, string>,
): string {
  return `<section><h2>${escaped(model)}</h2>
<p class="legend">${swatch(kindColours.genuine)}genuine ${swatch(kindColours.impostor)}impostor</p>
<div class="charts">
<figure>${histogramChart(similarities, 'Cosine similarity')}</figure>
<figure>${histogramChart(qualities, 'Magnitude, the lower of a pair')}</figure>
</div>
<h3>One person, least alike</h3><ul class="pairs">${hardest.genuine.map((pair) => pairItem(pair, pictures)).join('')}</ul>
<h3>Two people, most alike</h3><ul class="pairs">${hardest.impostor.map((pair) => pairItem(pair, pictures)).join('')}</ul>
</section>`;
}

function pairItem({ left, right, similarity, quality }: PairExample, pictures: ReadonlyMap<string, string>): string {
  const image = (name: string): string => {
    const picture = pictures.get(name);
    return picture === undefined
      ? ''
      : `<img src="${escaped(picture)}" alt="${escaped(name)}" width="112" height="112">`;
  };
  return `<li>${image(left)}${image(right)}<p><b>${similarity.toFixed(3)}</b> at magnitude ${quality.toFixed(1)}<br><small>${escaped(left)}<br>${escaped(right)}</small></p></li>`;
}

const style = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --line: #d8dee4; --soft: #57606a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --line: #30363d; --soft: #9198a1; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1240px; padding: 24px 16px 64px; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { font-size: 26px; margin: 0; overflow-wrap: anywhere; } h2 { font-size: 19px; margin: 36px 0 8px; } h3 { font-size: 15px; margin: 20px 0 8px; }
header p, figcaption, small { color: var(--soft); } p { margin: 4px 0 10px; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 14px 6px 0; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; } th { font-weight: 600; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); gap: 20px; }
figure { margin: 0; min-width: 0; } figure svg { width: 100%; height: auto; } figcaption { font-size: 13px; }
.swatch { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin: 0 6px 0 0; vertical-align: -1px; } .legend .swatch:not(:first-child) { margin-left: 14px; }
.pairs { list-style: none; margin: 0; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(232px, 1fr)); gap: 16px; }
.pairs img { border-radius: 6px; margin-right: 4px; } .pairs small { overflow-wrap: anywhere; }
@media print { body { max-width: none; } section { break-inside: avoid; } }
`;
