/** The sections of the evaluation page on one set, each a function from reports to HTML. */
import type { Interval } from '../eval/bootstrap.ts';
import type { PairExample, PairReport } from '../eval/pair-report.ts';
import { asPercent, type RejectCurve } from '../eval/reject.ts';
import type { EvaluatedSet } from './evaluated-set.ts';
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
import { groupTable, thresholdTable } from './evaluation-tables.ts';
import { differenceRange, figureText, operatingText } from './figure-text.ts';
import { meaningSection } from './meaning-section.ts';
import { counted, escaped } from './page.ts';

/** Measures beside the magnitude that one chart of several models shows. */
const mostMeasures = 3;

export function setSections(
  { name, notes = [], reports, meanings = [], pictures = new Map() }: EvaluatedSet,
  { models, heading }: { readonly models: readonly string[]; readonly heading: boolean },
): string {
  const { pairs, genuine, impostor, folds, limits } = reports[0]!.verification;
  const facts = `${counted(pairs, 'pair')}: ${genuine.toLocaleString('en')} genuine, ${impostor.toLocaleString('en')} impostor; ${folds} folds.`;
  const places = reports.map(({ model }) => models.indexOf(model));
  const ordered = { reports, places };
  // Many lines on one chart tell nothing: the ranking has a chart of its own for each model.
  const isRanked = reports.some(({ measures }) => measures.length > mostMeasures);
  const rejected = isRanked ? reports.map((report) => ({ ...report, measures: [] })) : reports;
  return `${heading ? `<h2>${escaped(name)}</h2>` : ''}<p class="soft">${[facts, ...notes, ...limits].map(escaped).join(' ')}</p>
<section><h2>Curves</h2>${models.length > 1 ? modelLegend(models) : ''}<p class="soft">Pale areas are 95 % intervals at each point, by a bootstrap over people. ${escaped(peopleFacts(reports[0]!))}</p>
<div class="curves">
<figure>${rocChart(ordered)}<figcaption>ROC from exact thresholds; higher is better</figcaption></figure>
<figure>${detChart(ordered)}<figcaption>DET: the same errors on two logarithmic axes; lower is better</figcaption></figure>
<figure>${rejectChart({ reports: rejected, places })}<figcaption>Error versus reject: ${escaped(rejectFacts(reports[0]!))} Dashed: chance decides who goes. Dotted: an oracle turns refused genuine pairs away first. ${isRanked ? 'Other measures are ranked above. ' : ''}${areaLegend(rejected, { places, models: models.length })}</figcaption></figure>
</div></section>
<section><h2>Thresholds</h2><p>The lowest cosine that keeps the false match rate, with 95 % intervals by a bootstrap over people.</p>${thresholdTable(reports, models)}</section>
${meaningSection(meanings)}
${reports.map((report) => modelSection(report, pictures, !heading && reports.length === 1)).join('\n')}`;
}

export function modelLegend(models: readonly string[]): string {
  return `<ul class="legend">${models.map((model, place) => `<li>${swatch(colourOf(place))}${escaped(model)}</li>`).join('')}</ul>`;
}

const swatch = (colour: string): string => `<i style="background:${colour}"></i>`;

/** Settings of the error-versus-reject curve. */
function rejectFacts({ reject }: PairReport): string {
  const left = reject.rejectRates.findLastIndex((rate) => rate <= reject.paucLimit + 1e-9);
  const count = (value: number): string => Math.round(value).toLocaleString('en');
  return `${operatingText(reject).replace(/, (\w+ threshold)$/, ' ($1)')} among the pairs that are left. At ${asPercent(reject.rejectRates[left]!)} these are ${count(reject.genuineLeft[left]!)} genuine and ${count(reject.impostorLeft[left]!)} impostor.`;
}

/** How the bootstrap groups pairs. */
const peopleFacts = ({ people }: PairReport): string =>
  people.from === 'folders'
    ? `It draws ${counted(people.count, 'person').replace('persons', 'people')}, told apart by their folders.`
    : `The set does not name people: it draws ${people.count.toLocaleString('en')} groups of images that genuine pairs join. If one person is in several groups, the intervals are too narrow.`;

/** Legend with partial areas of the lines, of chance and of the oracle. */
function areaLegend(
  reports: readonly PairReport[],
  { places, models }: { places: readonly number[]; models: number },
): string {
  const both = ({ paucArea, paucRelative }: RejectCurve): string =>
    `${figureText('paucArea', paucArea)}, relative ${figureText('paucRelative', paucRelative)}`;
  const entries = reports.flatMap(({ model, reject, baselines, measures }, report) => [
    `<li>${swatch(colourOf(places[report]!))}magnitude of ${escaped(model)}: ${both(reject)} (chance ${both(baselines.random)}; oracle ${both(baselines.oracle)})</li>`,
    ...measures.map(
      ({ name, reject: other, paucAreaLess }, measure) =>
        `<li>${swatch(colourOf(placeOfMeasure(reports, { models, report, measure })))}${escaped(name)} on ${escaped(model)}: ${both(other)}; ${againstMagnitude(paucAreaLess)}</li>`,
    ),
  ]);
  return `pAUC × 10³ to ${asPercent(reports[0]!.reject.paucLimit)}:<ul class="legend measures">${entries.join('')}</ul>`;
}

/** Compares a measure with magnitude by the interval of their difference. */
function againstMagnitude(less: Interval | null): string {
  if (less === null) return 'not comparable with magnitude';
  const range = `magnitude’s pAUC less its own: ${differenceRange('paucArea', less)}`;
  if (less[0] > 0) return `better than magnitude (${range})`;
  return less[1] < 0
    ? `worse than magnitude (${range})`
    : `no difference from magnitude that these pairs can show (${range})`;
}

/** @param isOnly - whether the page has no other: with several, their pairs would fill it */
function modelSection(report: PairReport, pictures: ReadonlyMap<string, string>, isOnly: boolean): string {
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
<details${isOnly ? ' open' : ''}><summary>Pairs to look at: the hardest and the easiest</summary>
${pairList('One person, least alike', hardest.genuine, pictures)}
${pairList('Two people, most alike', hardest.impostor, pictures)}
${pairList('One person, most alike', easiest.genuine, pictures)}
${pairList('Two people, least alike', easiest.impostor, pictures)}
</details></section>`;
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
