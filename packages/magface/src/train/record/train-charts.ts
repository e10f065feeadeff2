/** The charts of a training report as SVG text, in the page's own colours, so one drawing suits dark and light. */
import * as Plot from '@observablehq/plot';
import { draw } from '../../report/draw.ts';
import type { ValidationRow } from '../loop/validate.ts';
import { marginAt } from '../model/magface-loss.ts';
import type { TrainConfig } from '../settings/config.ts';
import type { MetricsRow } from './metrics.ts';
import type { Pictures } from './pictures.ts';

/** The second colour, beside the page's accent; distinct in any colour vision, on white and on black. */
export const secondColour = '#0e8a6d';

/** One figure over the run, drawn small so that its text is legible on a phone. */
export interface Curve {
  /** Label of the axis. */
  readonly label: string;
  readonly value: (row: MetricsRow) => number;
  /** For example `%`. @default plain figures */
  readonly format?: string;
  /** Whether the axis begins at 0. @default false */
  readonly zero?: boolean;
}

/** A curve over the steps of a run, or over the images seen: see courseOf. */
export function stepCurve(rows: readonly MetricsRow[], { label, value, format, zero = false }: Curve): string {
  const axis = {
    label,
    grid: true,
    zero,
    nice: true,
    ticks: 5,
    ...(format === undefined ? {} : { tickFormat: format }),
  };
  const course = courseOf(rows);
  return chart(`${label} by ${course.words}`, {
    x: courseAxis(rows, course),
    y: zero ? axis : { ...axis, ...roomAround(rows.map(value)) },
    marks: [Plot.lineY(rows, { x: course.key, y: value, ...courseLine(rows) })],
  });
}

/** Draws the mean magnitude as a line within the band from minimum to maximum. */
export function magnitudeCurve(rows: readonly MetricsRow[]): string {
  const course = courseOf(rows);
  const x = course.key;
  return chart(`Magnitude by ${course.words}: mean within the band from least to greatest`, {
    x: courseAxis(rows, course),
    y: { label: 'Magnitude', grid: true, nice: true, ticks: 5 },
    marks: [
      Plot.areaY(rows, { x, y1: 'magnitudeMin', y2: 'magnitudeMax', fill: 'var(--accent)', fillOpacity: 0.18 }),
      Plot.lineY(rows, { x, y: 'magnitudeMean', ...courseLine(rows) }),
    ],
  });
}

/** Labels an axis: d3's `%` prints all digits if an axis has a single value. */
const percentTick = (share: number): string => `${Number((100 * share).toFixed(2))}%`;

/** Accuracy of each validation. */
export function validationCurve(rows: readonly ValidationRow[]): string {
  return chart('Verification accuracy by epoch', {
    x: epochAxis(rows),
    y: { label: 'Accuracy', grid: true, nice: true, ticks: 5, tickFormat: percentTick },
    marks: [Plot.lineY(rows, { x: 'epoch', y: 'accuracy', stroke: 'var(--accent)', strokeWidth: 2, marker: 'dot' })],
  });
}

/** FNMR of each validation with all pairs, and without those of lowest magnitude: the second is lower if magnitude is quality. */
export function rejectCurve(rows: readonly ValidationRow[]): string {
  const line = (at: number, stroke: string): Plot.Markish =>
    Plot.lineY(rows, {
      x: 'epoch',
      y: (row: ValidationRow) => row.rejectFnmr[at],
      stroke,
      strokeWidth: 2,
      marker: 'dot',
    });
  return chart('FNMR at FMR 0.01 by epoch, of all pairs and without the lowest 30 %', {
    x: epochAxis(rows),
    y: { label: 'FNMR at FMR 0.01', grid: true, nice: true, ticks: 5, tickFormat: percentTick },
    marks: [line(0, 'var(--soft)'), line(3, 'var(--accent)')],
  });
}

/** Maximum number of epochs drawn, since more would overlap. */
const shownEpochs = 6;

/** Histogram of magnitudes for each epoch, later ones drawn stronger. @returns the chart and its epochs */
export function histogramChart({ histograms }: Pictures): { readonly svg: string; readonly epochs: readonly number[] } {
  const last = histograms.length - 1;
  const count = Math.min(shownEpochs, histograms.length);
  const places = Array.from({ length: count }, (_, i) => Math.round((i * last) / Math.max(1, count - 1)));
  const shown = places.map((place) => histograms[place]!);
  const marks = shown.map(({ counts }, i) => {
    const total = counts.reduce((sum, one) => sum + one, 0);
    const steps = counts.map((one, magnitude) => ({ magnitude, share: one / total }));
    const from = Math.max(0, steps.findIndex(({ share }) => share > 0) - 1);
    return Plot.lineY(steps.slice(from), {
      x: 'magnitude',
      y: 'share',
      curve: 'step-after',
      stroke: 'var(--accent)',
      strokeWidth: i === count - 1 ? 2.5 : 1.5,
      strokeOpacity: strength(i, count),
    });
  });
  const svg = chart('Distribution of magnitudes by epoch; later epochs are drawn stronger', {
    x: { label: 'Magnitude' },
    y: { label: 'Share of training faces', grid: true, ticks: 5, tickFormat: '%' },
    marks,
  });
  return { svg, epochs: shown.map(({ epoch }) => epoch) };
}

/** Opacity of the line at this place, from faint to full. */
export const strength = (place: number, count: number): number => (count < 2 ? 1 : 0.25 + (0.75 * place) / (count - 1));

/** The paper's picture: magnitude against cos θ with the own class, its mean by magnitude, and the margin m(a). */
export function angleChart({ points }: Pictures, config: TrainConfig): string {
  const magnitudes = points.map(([a]) => a);
  const ends = points.length === 0 ? [] : [Math.min(...magnitudes), Math.max(...magnitudes)];
  const means = Plot.binX<Plot.LineYOptions>({ y: 'mean', filter: ({ length }: { length: number }) => length > 9 }, {
    x: '0',
    y: '1',
    thresholds: 20,
  } as Plot.LineYOptions);
  const isMagFace = config.loss === 'magface'; // the margin of others is not a function of the magnitude
  const margins = isMagFace ? ends.map((a) => ({ a, m: marginAt(a, config) })) : [];
  return draw({
    ...style,
    ariaLabel: `Training faces by magnitude and cosine with their class${isMagFace ? '; the margin m(a) over them' : ''}`,
    width: 760,
    height: 400,
    marginTop: 28,
    marginLeft: 54,
    marginRight: 54,
    marginBottom: 38,
    x: { label: 'Magnitude a', nice: true },
    y: { label: 'cos θ with the own class', grid: true, nice: true },
    marks: [
      Plot.dot(points, { x: '0', y: '1', r: 1.6, fill: 'currentColor', fillOpacity: 0.35 }),
      Plot.lineY(points, { ...means, stroke: 'var(--accent)', strokeWidth: 2.5 }),
      Plot.line(margins, { x: 'a', y: 'm', stroke: secondColour, strokeWidth: 2.5 }),
      ...(isMagFace ? [Plot.axisY({ anchor: 'right', label: 'm(a), radians', color: secondColour, tickSize: 0 })] : []),
      Plot.axisY({ anchor: 'left', label: 'cos θ with the own class', tickSize: 0 }),
    ],
  });
}

/** The x axis of a run's curves. */
interface Course {
  readonly key: 'step' | 'samples';
  readonly label: string;
  readonly words: string;
  readonly tickFormat?: string;
}

/** Steps, or images seen if a resume with a larger batch made the step numbers decrease. */
function courseOf(rows: readonly MetricsRow[]): Course {
  const isRising = rows.every(({ step }, i) => i === 0 || step >= rows[i - 1]!.step);
  if (isRising) return { key: 'step', label: 'Step', words: 'step' };
  return { key: 'samples', label: 'Images seen', words: 'images seen', tickFormat: '~s' };
}

function courseAxis(rows: readonly MetricsRow[], { key, label, tickFormat }: Course): Plot.ScaleOptions {
  const places = rows.map((row) => row[key]);
  if (rows.length === 1) return { label, ticks: places, tickFormat: 'd', ...roomAround(places) };
  return { label, ticks: 5, nice: false, ...(tickFormat === undefined ? {} : { tickFormat }) };
}

/** Draws a run's first row as a dot, since one row makes no line. */
const courseLine = (rows: readonly MetricsRow[]): Pick<Plot.LineYOptions, 'stroke' | 'strokeWidth' | 'marker'> => ({
  stroke: 'var(--accent)',
  strokeWidth: 2,
  marker: rows.length === 1 ? 'dot' : 'none',
});

/** A single value gives no scale: adds a tenth of it on both sides. */
function roomAround(values: readonly number[]): { readonly domain?: readonly [number, number] } {
  const [first = 0] = values;
  if (values.some((value) => value !== first)) return {};
  const room = Math.abs(first) / 10 || 1;
  return { domain: [first - room, first + room] };
}

const epochAxis = (rows: readonly ValidationRow[]): Plot.ScaleOptions => ({
  label: 'Epochs done',
  ticks: rows.map(({ epoch }) => epoch).filter((_, i, all) => i % Math.ceil(all.length / 8) === 0),
  tickFormat: 'd',
});

const style = { style: { background: 'none', fontSize: '12px' } };

function chart(ariaLabel: string, options: Plot.PlotOptions): string {
  return draw({
    ...style,
    ariaLabel,
    width: 400,
    height: 254,
    marginTop: 28,
    marginLeft: 54,
    marginBottom: 38,
    ...options,
  });
}
