/** Charts of an evaluation as SVG text. They use the page's colours, so that one drawing serves dark and light themes. */
import * as Plot from '@observablehq/plot';
import type { Interval } from '../eval/bootstrap.ts';
import type { HistogramBin, PairReport, ViewBin } from '../eval/pair-report.ts';
import type { RejectCurve } from '../eval/reject.ts';
import { draw } from './draw.ts';
import { operatingText } from './figure-text.ts';

/** Colours of models in order, distinct for any colour vision (Okabe and Ito) on white and on black. */
const modelColours: readonly string[] = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#b8860b', '#56b4e9'];

/** Colours of the two kinds of pair. */
export const kindColours = { genuine: '#009e73', impostor: '#d55e00' } as const;

/** Colours of the two views of a face. */
export const viewColours: ReadonlyMap<string, string> = new Map([
  ['frontal', '#56b4e9'],
  ['profile', '#cc79a7'],
]);

/** @returns the colour of the model at this place; they repeat after six. */
export const colourOf = (place: number): string => modelColours[place % modelColours.length]!;

/** Models on one set, each with its index among the page's models. */
export interface PlacedReports {
  readonly reports: readonly PairReport[];
  readonly places: readonly number[];
}

/** TAR over FAR on a log axis. */
export function rocChart({ reports, places }: PlacedReports): string {
  return chart('ROC: share of genuine pairs accepted, by false accept rate on a logarithmic axis', {
    x: { type: 'log', label: 'False accept rate', tickFormat: power },
    y: { label: 'True accept rate', tickFormat: '%', grid: true },
    marks: [
      ...reports.map(({ roc }, i) => band(roc, places[i]!, ({ far, tarInterval }) => [far, tarInterval])),
      ...reports.map(({ roc }, i) =>
        Plot.line(roc, { x: 'far', y: 'tar', stroke: colourOf(places[i]!), strokeWidth: 2 }),
      ),
    ],
  });
}

/** FNMR over FMR, both on log axes: equal steps are equal factors of error. */
export function detChart({ reports, places }: PlacedReports): string {
  const curves = reports.map(({ roc }) => roc.flatMap(({ far, tar }) => (tar < 1 ? [{ far, fnmr: 1 - tar }] : [])));
  const ends = reports.flatMap(({ roc }) => roc.flatMap(({ tarInterval }) => tarInterval?.map((tar) => 1 - tar) ?? []));
  const rates = [...curves.flat().map(({ fnmr }) => fnmr), ...ends].filter((rate) => rate > 0);
  const axis = decadeAround(rates);
  const bottom = axis.domain?.[0] ?? Math.min(...rates);
  return chart('DET: share of genuine pairs refused, by false match rate, both on logarithmic axes', {
    x: { type: 'log', label: 'False match rate', tickFormat: power },
    y: { type: 'log', label: 'False non-match rate', tickFormat: power, grid: true, ...axis },
    marks: [
      // A log axis cannot show zero errors: such an end is drawn at its bottom.
      ...reports.map(({ roc }, i) =>
        band(roc, places[i]!, ({ far, tarInterval }) => [
          far,
          tarInterval && [Math.max(bottom, 1 - tarInterval[1]), Math.max(bottom, 1 - tarInterval[0])],
        ]),
      ),
      ...curves.map((points, i) =>
        Plot.line(points, { x: 'far', y: 'fnmr', stroke: colourOf(places[i]!), strokeWidth: 2 }),
      ),
    ],
  });
}

/** The 95 % interval of each point, as a pale area behind the lines. */
function band<Point>(
  points: readonly Point[],
  place: number,
  at: (point: Point, i: number) => readonly [x: number, interval: Interval | null],
): Plot.Markish {
  const ends = points.map((point, i) => {
    const [x, interval] = at(point, i);
    return { x, low: interval?.[0] ?? Number.NaN, high: interval?.[1] ?? Number.NaN };
  });
  return Plot.areaY(ends, { x: 'x', y1: 'low', y2: 'high', fill: colourOf(place), fillOpacity: 0.14 });
}

/** A log axis has labels at powers of ten only: a range of a factor of ten contains at least one. */
function decadeAround(rates: readonly number[]): { readonly domain?: readonly [number, number] } {
  const [low, high] = [Math.min(...rates), Math.max(...rates)];
  if (rates.length === 0 || high >= 10 * low) return {};
  const room = Math.sqrt((10 * low) / high);
  return { domain: [low / room, Math.min(1, high * room)] };
}

/** FNMR over the share of rejected pairs: a solid line for each measure of quality, dashed for chance, dotted for the oracle. */
export function rejectChart({ reports, places }: PlacedReports): string {
  const line = (curve: RejectCurve, place: number, dashes?: string): Plot.Markish =>
    Plot.line(
      curve.rejectRates.map((rate, i) => ({ rate, fnmr: curve.fnmr[i] ?? Number.NaN })),
      {
        x: 'rate',
        y: 'fnmr',
        stroke: colourOf(place),
        strokeWidth: dashes ? 1 : 2,
        ...(dashes && { strokeDasharray: dashes }),
      },
    );
  const models = Math.max(...places) + 1;
  return chart('Error versus reject: FNMR as the pairs of lowest quality are turned away', {
    x: { label: 'Pairs turned away', tickFormat: '%' },
    y: { label: operatingText(reports[0]!.reject).split(',')[0]!, tickFormat: '%', grid: true, zero: true },
    marks: reports.flatMap(({ reject, baselines, measures }, i) => [
      band(reject.rejectRates, places[i]!, (rate, at) => [rate, reject.fnmrInterval[at]!]),
      line(baselines.random, places[i]!, '6 4'),
      line(baselines.oracle, places[i]!, '1 4'),
      line(reject, places[i]!),
      ...measures.map((other, measure) => line(other.reject, placeOfMeasure(reports, { models, report: i, measure }))),
    ]),
  });
}

/** @returns the colour index of a report's measure: measures come after all models. */
export function placeOfMeasure(
  reports: readonly PairReport[],
  { models, report, measure }: { readonly models: number; readonly report: number; readonly measure: number },
): number {
  return models + reports.slice(0, report).reduce((sum, { measures }) => sum + measures.length, 0) + measure;
}

/** Two overlaid distributions on one axis. */
export function histogramChart(bins: readonly HistogramBin[], label: string): string {
  const kind = (key: 'genuine' | 'impostor'): Plot.Markish =>
    Plot.rectY(bins, { x1: 'from', x2: 'to', y: key, fill: kindColours[key], fillOpacity: 0.55, inset: 0 });
  return chart(`${label}: distribution for genuine and for impostor pairs`, {
    height: 230,
    x: { label },
    y: { label: 'Share of its kind', tickFormat: '%', grid: true },
    marks: [kind('impostor'), kind('genuine')],
  });
}

/** Magnitudes of frontal faces and of profiles: the effect of pose. */
export function viewChart(bins: readonly ViewBin[]): string {
  return chart('Magnitude of a face: distribution for frontal faces and for profiles', {
    height: 230,
    x: { label: 'Magnitude of a face' },
    y: { label: 'Share of its view', tickFormat: '%', grid: true },
    marks: [
      Plot.rectY(bins, {
        x1: 'from',
        x2: 'to',
        y1: () => 0,
        y2: 'share',
        fill: ({ view }: ViewBin) => viewColours.get(view) ?? 'var(--soft)',
        fillOpacity: 0.55,
        inset: 0,
      }),
    ],
  });
}

/** `0.001` as `10⁻³`; other values stay blank, so that log axes are not crowded. */
function power(value: number): string {
  const exponent = Math.log10(value);
  if (Math.abs(exponent - Math.round(exponent)) > 1e-9) return '';
  if (exponent > -1e-9) return String(value);
  return `10⁻${[...String(Math.round(-exponent))].map((digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]).join('')}`;
}

/** Drawn small, so that text stays legible when a phone shrinks it. */
function chart(description: string, options: Plot.PlotOptions): string {
  return draw({
    width: 400,
    height: 280,
    marginLeft: 54,
    marginBottom: 38,
    ariaLabel: description,
    style: { background: 'none', fontSize: '12px' },
    ...options,
  });
}
