/** `report.html` of a training run: one file to open in any browser, with no network. */
import { existsSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import * as Plot from '@observablehq/plot';
import { readPackedFile } from '../format/packed-image.ts';
import { draw } from '../report/draw.ts';
import { escaped } from '../report/page.ts';
import type { TrainConfig } from './config.ts';
import type { MetricsRow } from './metrics.ts';
import type { PicturedFace, Pictures } from './pictures.ts';
import type { ValidationRow } from './validate.ts';

/** What a report tells. */
export interface TrainReport {
  readonly config: TrainConfig;
  readonly rows: readonly MetricsRow[];
  readonly validation: readonly ValidationRow[];
  readonly pictures: Pictures;
}

/** @returns a whole HTML document */
export function trainReport(report: TrainReport): string {
  const { config, rows, validation, pictures } = report;
  const last = rows.at(-1);
  const sections = [
    section(
      'Loss',
      'Cross-entropy with margin, and the pull λ_g · g(a) on magnitudes.',
      lossCurves(rows, config.lambdaG),
    ),
    section(
      'Accuracy',
      'Share of training faces whose nearest center, without margin, is their own.',
      curve(rows, 'accuracy'),
    ),
    section('Learning rate', '', curve(rows, 'lr')),
    section('Magnitude', 'Mean of ‖f‖, with the least and the greatest.', magnitudeCurves(rows)),
    ...(validation.length === 0
      ? []
      : [
          section('Validation', `10-fold accuracy on ${escaped(config.evalPairs ?? '')}.`, validationCurve(validation)),
          rejectTable(validation),
        ]),
    section(
      'Magnitudes by epoch',
      'How many training faces have which magnitude; darker is later.',
      histograms(pictures),
    ),
    section(
      'Magnitude and angle',
      'Each point is a training face of the newest epoch: the longer its feature, the nearer it should lie to its class (the paper’s figure). The line is the margin m(a) of the loss, in radians.',
      scatter(pictures, config),
    ),
    section('From lowest to highest magnitude', 'Training faces of the newest epoch.', strip(pictures)),
    `<section><h2>Settings</h2><pre>${escaped(JSON.stringify(config, null, 2))}</pre></section>`,
  ];
  const state =
    last === undefined ? 'not begun' : `step ${last.step}, epoch ${last.epoch}, loss ${last.loss.toFixed(3)}`;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Training ${escaped(config.arch)}</title><style>${style}</style></head><body>
<h1>Training ${escaped(config.arch)}</h1><p>${escaped(state)}; ${last === undefined ? '' : `${last.imagesPerSecond.toFixed(1)} images a second`}</p>
${sections.join('\n')}</body></html>\n`;
}

const style = `:root{color-scheme:light dark;--line:#8884}body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin:2rem 0 .2rem}svg{max-width:100%;height:auto;background:none!important}
p{margin:.2rem 0 .6rem}.strip{display:flex;flex-wrap:wrap;gap:6px}figure{margin:0;text-align:center;font-size:12px}
figure img{width:72px;height:72px;border-radius:6px;display:block}pre{overflow:auto;border:1px solid var(--line);padding:.6rem;border-radius:6px}
table{border-collapse:collapse}td,th{padding:.2rem .8rem;border-bottom:1px solid var(--line);text-align:right}`;

const section = (title: string, says: string, body: string): string =>
  `<section><h2>${title}</h2>${says === '' ? '' : `<p>${says}</p>`}${body}</section>`;

function plot(options: Plot.PlotOptions): string {
  return draw({ width: 860, height: 260, marginLeft: 56, grid: true, ...options });
}

const colours = { identity: '#4269d0', magnitude: '#ff725c', low: '#97bbf5' };

function lossCurves(rows: readonly MetricsRow[], lambdaG: number): string {
  const identity = rows.map(({ step, lossId }) => ({ step, value: lossId, part: 'identity' }));
  const magnitude = rows.map(({ step, lossG }) => ({ step, value: lossG * lambdaG, part: 'λ_g · g(a)' }));
  return plot({
    color: { legend: false, range: [colours.identity, colours.magnitude] },
    x: { label: 'step' },
    y: { label: 'loss' },
    marks: [
      Plot.lineY([...identity, ...magnitude], { x: 'step', y: 'value', stroke: 'part' }),
      Plot.text(
        [identity, magnitude].flatMap((line) => line.slice(-1)),
        { x: 'step', y: 'value', text: 'part', textAnchor: 'end', dy: -8 },
      ),
    ],
  });
}

const curve = (rows: readonly MetricsRow[], y: 'accuracy' | 'lr'): string =>
  plot({ height: 180, x: { label: 'step' }, marks: [Plot.lineY(rows, { x: 'step', y, stroke: colours.identity })] });

const magnitudeCurves = (rows: readonly MetricsRow[]): string =>
  plot({
    height: 200,
    x: { label: 'step' },
    y: { label: 'magnitude' },
    marks: [
      Plot.areaY(rows, { x: 'step', y1: 'magnitudeMin', y2: 'magnitudeMax', fill: colours.low, fillOpacity: 0.4 }),
      Plot.lineY(rows, { x: 'step', y: 'magnitudeMean', stroke: colours.identity }),
    ],
  });

const validationCurve = (rows: readonly ValidationRow[]): string =>
  plot({
    height: 180,
    x: { label: 'epoch' },
    y: { label: 'accuracy' },
    marks: [Plot.lineY(rows, { x: 'epoch', y: 'accuracy', stroke: colours.identity, marker: 'circle' })],
  });

function rejectTable(rows: readonly ValidationRow[]): string {
  const cell = (value: number | null): string => `<td>${value === null ? '–' : value.toFixed(4)}</td>`;
  const body = rows
    .map(({ epoch, rejectFnmr }) => `<tr><td>${epoch}</td>${rejectFnmr.map(cell).join('')}</tr>`)
    .join('');
  return `<section><h2>Error versus reject</h2><p>FNMR at FMR 0.01 when the pairs of lowest magnitude are turned away: it falls when magnitude is quality.</p>
<table><tr><th>epoch</th><th>none</th><th>10 %</th><th>20 %</th><th>30 %</th></tr>${body}</table></section>`;
}

function histograms({ histograms: epochs }: Pictures): string {
  const bars = epochs.flatMap(({ epoch, counts }) =>
    counts.map((count, magnitude) => ({ epoch, magnitude: magnitude + 0.5, count })),
  );
  return plot({
    x: { label: 'magnitude' },
    y: { label: 'faces' },
    color: {
      scheme: 'blues',
      domain: [Math.min(0, ...epochs.map(({ epoch }) => epoch)) - 1, Math.max(1, ...epochs.map(({ epoch }) => epoch))],
    },
    marks: [Plot.lineY(bars, { x: 'magnitude', y: 'count', stroke: 'epoch', z: 'epoch', curve: 'step' })],
  });
}

function scatter({ points }: Pictures, config: TrainConfig): string {
  const { lowerMagnitude, upperMagnitude, lowerMargin, upperMargin } = config;
  const magnitudes = points.map(([magnitude]) => magnitude);
  const slope = (upperMargin - lowerMargin) / (upperMagnitude - lowerMagnitude);
  const ends = points.length === 0 ? [] : [Math.min(...magnitudes), Math.max(...magnitudes)];
  const line = ends.map((a) => [a, lowerMargin + slope * (a - lowerMagnitude)] as const);
  return plot({
    height: 360,
    x: { label: 'magnitude a' },
    y: { label: 'cos θ with the own class; m(a)' },
    marks: [
      Plot.dot(points, { x: '0', y: '1', r: 1.5, fill: colours.identity, fillOpacity: 0.5 }),
      Plot.line(line, { x: '0', y: '1', stroke: colours.magnitude, strokeWidth: 2 }),
      Plot.text(line.slice(-1), { x: '0', y: '1', text: ['m(a)'], textAnchor: 'end', dy: -8 }),
    ],
  });
}

function strip({ lowest, highest }: Pictures): string {
  const figures = [...lowest, ...highest.toReversed()].map(figure);
  return `<div class="strip">${figures.join('')}</div>`;
}

function figure({ path, within, magnitude }: PicturedFace): string {
  if (!existsSync(within?.file ?? path)) return '';
  const type = { '.png': 'png', '.webp': 'webp', '.avif': 'avif' }[extname(path).toLowerCase()] ?? 'jpeg';
  const data = (within === undefined ? readFileSync(path) : readPackedFile(within)).toString('base64');
  return `<figure><img alt="${escaped(path)}" src="data:image/${type};base64,${data}">${magnitude.toFixed(1)}</figure>`;
}
