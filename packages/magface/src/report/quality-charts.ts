/** Charts of the quality report as SVG text, in the page's colours, so that one drawing serves dark and light. */
import * as Plot from '@observablehq/plot';
import { type Calibration, magnitudeAt } from '../quality.ts';
import { compare } from '../similarity.ts';
import { draw } from './draw.ts';

/** Histogram of magnitudes, with scores of 10, 50 and 90 marked if calibrated. */
export function magnitudeChart(magnitudes: readonly number[], calibration: Calibration | undefined): string {
  const scores = calibration
    ? [10, 50, 90].map((score) => ({ at: magnitudeAt(score, calibration), words: `quality ${score}` }))
    : [];
  const bars = Plot.binX<Plot.RectYOptions>({ y: 'count' }, { x: (value: number) => value, thresholds: 20 });
  return draw({
    ...style,
    ariaLabel: 'Histogram of magnitudes: faces by the length of their feature',
    width: 760,
    height: 276,
    marginTop: 44, // the axis title is above the score labels
    marginBottom: 44,
    marginLeft: 48,
    x: { label: 'Magnitude', nice: true, labelOffset: 40 },
    y: {
      label: 'Faces',
      grid: true,
      ticks: 4,
      tickSize: 0,
      tickFormat: (count: number) => (Number.isInteger(count) ? String(count) : ''),
    },
    marks: [
      Plot.rectY(magnitudes, { ...bars, fill: 'var(--accent)', fillOpacity: 0.75 }),
      Plot.ruleX(scores, { x: 'at', stroke: 'currentColor', strokeDasharray: '3 3', strokeOpacity: 0.6 }),
      Plot.text(scores, { x: 'at', text: 'words', frameAnchor: 'top', dy: -22, fill: 'currentColor' }),
      Plot.ruleY([0]),
    ],
  });
}

/** A row and column of the heat map. */
export interface HeatMapFace {
  /** Number in the report. */
  readonly number: number;
  /** The aligned face as a data URL. */
  readonly picture: string;
  /** (D) float32, of length above 0. */
  readonly embedding: Float32Array;
}

/** Up to this many faces the cells show figures. */
const figuresUpTo = 25;

/** Cosine similarity of every face with every other: the stronger the colour, the more alike. */
export function similarityChart(faces: readonly HeatMapFace[]): string {
  const cells = faces.flatMap((row) =>
    faces.map((column) => ({
      row: row.number,
      column: column.number,
      similarity: compare(row.embedding, column.embedding),
    })),
  );
  const cell = Math.min(64, Math.max(22, Math.floor(1040 / faces.length)));
  const side = Math.min(cell - 2, 40);
  const [edge, margin] = [side + 40, 8];
  const figure = { x: 'column', y: 'row', text: ({ similarity }: (typeof cells)[number]) => figureOf(similarity) };
  const picture = { src: 'picture', width: side, height: side } as const;
  return draw({
    ...style,
    ariaLabel: 'Heat map of cosine similarities between faces',
    width: edge + margin + cell * faces.length,
    height: edge + margin + cell * faces.length,
    marginLeft: edge,
    marginTop: edge,
    marginRight: margin,
    marginBottom: margin,
    x: { axis: 'top', label: null, tickSize: 0, padding: 0.04, domain: faces.map(({ number }) => number) },
    y: { label: null, tickSize: 0, padding: 0.04, domain: faces.map(({ number }) => number) },
    opacity: { domain: [0, 1], range: [0.05, 1], clamp: true },
    marks: [
      Plot.cell(cells, { x: 'column', y: 'row', fill: 'var(--accent)', fillOpacity: 'similarity' }),
      Plot.image(faces, { ...picture, x: 'number', frameAnchor: 'top', dy: -side / 2 - 26 }),
      Plot.image(faces, { ...picture, y: 'number', frameAnchor: 'left', dx: -side / 2 - 30 }),
      ...(faces.length > figuresUpTo
        ? []
        : [
            Plot.text(cells, { ...figure, filter: ({ similarity }) => similarity < 0.5, fill: 'var(--ink)' }),
            Plot.text(cells, { ...figure, filter: ({ similarity }) => similarity >= 0.5, fill: 'var(--paper)' }),
          ]),
    ],
  });
}

/** `.42`, `−.07`, `1`: short, for small cells. */
function figureOf(similarity: number): string {
  return similarity
    .toFixed(2)
    .replace(/^-0\.00$/, '.00')
    .replace('0.', '.')
    .replace('-', '−')
    .replace('1.00', '1');
}

const style = { style: { background: 'none', fontSize: '12px' } };
