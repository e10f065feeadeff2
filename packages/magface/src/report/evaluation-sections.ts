/** The sections of the evaluation page on one set, each a function from reports to HTML. */
import type { PairExample, PairReport } from '../eval/pair-report.ts';
import type { RejectCurve } from '../eval/reject.ts';
import {
  colourOf,
  detChart,
  histogramChart,
  kindColours,
  placeOfMeasure,
  rejectChart,
  rocChart,
  viewChart,
  viewColours,
} from './evaluation-charts.ts';
import type { EvaluatedSet } from './evaluation-page.ts';
import { groupTable, thresholdTable } from './evaluation-tables.ts';
import { counted, escaped } from './page.ts';

export function setSections(
  { name, notes = [], reports, pictures = new Map() }: EvaluatedSet,
  { models, heading }: { readonly models: readonly string[]; readonly heading: boolean },
): string {
  const { pairs, genuine, impostor, folds, limits } = reports[0]!.verification;
  const facts = `${counted(pairs, 'pair')}: ${genuine.toLocaleString('en')} genuine, ${impostor.toLocaleString('en')} impostor; ${folds} folds.`;
  const ordered = { reports, places: reports.map(({ model }) => models.indexOf(model)) };
  return `${heading ? `<h2>${escaped(name)}</h2>` : ''}<p class="soft">${[facts, ...notes, ...limits].map(escaped).join(' ')}</p>
<section><h2>Curves</h2>${models.length > 1 ? modelLegend(models) : ''}
<div class="curves">
<figure>${rocChart(ordered)}<figcaption>ROC, exact points</figcaption></figure>
<figure>${detChart(ordered)}<figcaption>DET: lower is better</figcaption></figure>
<figure>${rejectChart(ordered)}<figcaption>Error versus reject. Dashed: pairs turned away by chance; dotted: the errors first (no order is better). ${areaLegend(reports, { places: ordered.places, models: models.length })}</figcaption></figure>
</div></section>
<section><h2>Thresholds</h2><p>The lowest cosine that keeps the false match rate, with 95 % intervals by a bootstrap over people.</p>${thresholdTable(reports, models)}</section>
${reports.map((report) => modelSection(report, pictures)).join('\n')}`;
}

export function modelLegend(models: readonly string[]): string {
  return `<ul class="legend">${models.map((model, place) => `<li>${swatch(colourOf(place))}${escaped(model)}</li>`).join('')}</ul>`;
}

const swatch = (colour: string): string => `<i style="background:${colour}"></i>`;

/** What the lines are worth: their partial areas, between those of chance and of the best order there is. */
function areaLegend(
  reports: readonly PairReport[],
  { places, models }: { places: readonly number[]; models: number },
): string {
  const area = ({ pauc }: RejectCurve): string => pauc?.toFixed(5) ?? '–';
  const entries = reports.flatMap(({ model, reject, baselines, measures }, report) => [
    `<li>${swatch(colourOf(places[report]!))}magnitude of ${escaped(model)}: ${area(reject)} (by chance ${area(baselines.random)}, at best ${area(baselines.oracle)})</li>`,
    ...measures.map(
      ({ name, reject: other }, measure) =>
        `<li>${swatch(colourOf(placeOfMeasure(reports, { models, report, measure })))}${escaped(name)} on ${escaped(model)}: ${area(other)}</li>`,
    ),
  ]);
  return `Mean FNMR to ${Math.round(100 * reports[0]!.reject.paucLimit)} % (pAUC):<ul class="legend measures">${entries.join('')}</ul>`;
}

function modelSection(report: PairReport, pictures: ReadonlyMap<string, string>): string {
  const { model, similarities, qualities, views, groups, hardest, easiest } = report;
  const kinds = `${swatch(kindColours.genuine)}genuine</li><li>${swatch(kindColours.impostor)}impostor`;
  const viewed =
    views.length > 0
      ? `</li>${[...viewColours].map(([view, colour]) => `<li>${swatch(colour)}${view}`).join('</li>')}`
      : '';
  return `<section><h2>${escaped(model)}</h2>
<ul class="legend"><li>${kinds}${viewed}</li></ul>
<div class="curves">
<figure>${histogramChart(similarities, 'Cosine similarity')}</figure>
<figure>${histogramChart(qualities, 'Magnitude, the lower of a pair')}</figure>
${views.length > 0 ? `<figure>${viewChart(views)}</figure>` : ''}
</div>
${Object.entries(groups)
  .map(([column, group]) => `<h3>By ${escaped(column)}</h3>${groupTable(column, group)}`)
  .join('')}
${pairList('One person, least alike', hardest.genuine, pictures)}
${pairList('Two people, most alike', hardest.impostor, pictures)}
${pairList('One person, most alike', easiest.genuine, pictures)}
${pairList('Two people, least alike', easiest.impostor, pictures)}
</section>`;
}

function pairList(heading: string, pairs: readonly PairExample[], pictures: ReadonlyMap<string, string>): string {
  return `<h3>${heading}</h3><ul class="pairs">${pairs.map((pair) => pairItem(pair, pictures)).join('')}</ul>`;
}

function pairItem({ left, right, similarity, quality }: PairExample, pictures: ReadonlyMap<string, string>): string {
  const image = (name: string): string => {
    const picture = pictures.get(name);
    return picture === undefined
      ? ''
      : `<img src="${escaped(picture)}" alt="${escaped(name)}" width="112" height="112">`;
  };
  const both = `${image(left)}${image(right)}`;
  return `<li>${both && `<div>${both}</div>`}<p><b>${similarity.toFixed(3)}</b> <span class="soft">at magnitude ${quality.toFixed(1)}</span><small>${escaped(left)}</small><small>${escaped(right)}</small></p></li>`;
}
