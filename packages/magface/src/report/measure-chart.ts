/** Error versus reject by every measure of one model on one set. The table beside it names the lines. */
import * as Plot from '@observablehq/plot';
import type { PairReport } from '../eval/pair-report.ts';
import type { RejectCurve } from '../eval/reject.ts';
import { draw } from './draw.ts';
import { colourOf } from './evaluation-charts.ts';
import { operatingText, unitText } from './figure-text.ts';
import type { RankedMeasure } from './ranking.ts';

/** Lines with a colour of their own; the others are grey until they are pointed at. */
const coloured = 6;
/** A second sign beside the colour, for print and for any colour vision. */
const dashes: readonly (string | undefined)[] = [undefined, '7 3', '2 3', '9 3 2 3', '12 4', '4 2'];

/** How a measure's line is drawn, by its rank from 0. */
export const lineStyle = (place: number): { readonly stroke: string; readonly dashes?: string | undefined } =>
  place < coloured ? { stroke: colourOf(place), dashes: dashes[place] } : { stroke: 'var(--soft)' };

/** @param ranked - best first, as in the table */
export function measureChart({ reject, measures, baselines }: PairReport, ranked: readonly RankedMeasure[]): string {
  const points = (curve: RejectCurve): { readonly rate: number; readonly fnmr: number }[] =>
    curve.rejectRates.map((rate, i) => ({ rate, fnmr: curve.fnmr[i] ?? Number.NaN }));
  const base = (curve: RejectCurve, dash: string): Plot.Markish =>
    Plot.line(points(curve), {
      x: 'rate',
      y: 'fnmr',
      stroke: 'currentColor',
      strokeOpacity: 0.55,
      strokeDasharray: dash,
    });
  const line = ({ name, curve }: RankedMeasure, place: number): Plot.Markish => {
    const { stroke, dashes: dash } = lineStyle(place);
    return Plot.line(points(curve), {
      x: 'rate',
      y: 'fnmr',
      stroke,
      strokeWidth: place < coloured ? 2 : 1,
      strokeOpacity: place < coloured ? 1 : 0.45,
      ariaLabel: () => name, // a text would be the name of a column
      ...(dash && { strokeDasharray: dash }),
    });
  };
  const best = ranked[0]!;
  const intervals = (best.name === 'magnitude' ? reject : measures.find(({ name }) => name === best.name)!.reject)
    .fnmrInterval;
  const band = best.curve.rejectRates.map((rate, i) => ({
    rate,
    low: intervals[i]?.[0] ?? Number.NaN,
    high: intervals[i]?.[1] ?? Number.NaN,
  }));
  return draw({
    width: 480,
    height: 340,
    marginLeft: 54,
    marginBottom: 38,
    ariaLabel: `Error versus reject by ${ranked.length} measures`,
    style: { background: 'none', fontSize: '12px' },
    x: { label: `Share of ${unitText(reject)} turned away`, tickFormat: '%' },
    y: { label: operatingText(reject).split(',')[0]!, tickFormat: '%', grid: true, zero: true },
    marks: [
      Plot.areaY(band, { x: 'rate', y1: 'low', y2: 'high', fill: colourOf(0), fillOpacity: 0.14 }),
      Plot.ruleX([reject.paucLimit], { strokeOpacity: 0.3 }),
      base(baselines.random, '6 4'),
      base(baselines.oracle, '1 4'),
      ...ranked.map(line).reverse(),
    ],
  });
}
