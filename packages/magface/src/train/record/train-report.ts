/** `report.html` of a training run: one file to open in any browser, with no network. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { readPackedFile } from '../../format/packed-image.ts';
import { counted, escaped, inPercent, page, threeFigures } from '../../report/page.ts';
import { switchThemes } from '../../report/page-script.ts';
import type { ValidationRow } from '../loop/validate.ts';
import type { TrainConfig } from '../settings/config.ts';
import type { MetricsRow } from './metrics.ts';
import type { PicturedFace, Pictures } from './pictures.ts';
import * as charts from './train-charts.ts';

/** The content of a report. */
export interface TrainReport {
  readonly config: TrainConfig;
  readonly rows: readonly MetricsRow[];
  readonly validation: readonly ValidationRow[];
  readonly pictures: Pictures;
}

/** @returns a whole HTML document, which loads nothing and escapes all text */
export function trainReport(report: TrainReport): string {
  const { config, rows, validation, pictures } = report;
  const body = [
    `<style>${style}</style>`,
    header(report),
    '<main>',
    rows.length === 0 ? '' : learning(rows, config),
    validation.length === 0 ? '' : validationSection(validation),
    pictures.points.length === 0 ? '' : magnitudes(pictures, config),
    faces(pictures),
    settings(config),
    '</main>',
  ];
  return page({ title: titleOf(config), body: body.join('\n'), scripts: [switchThemes] });
}

const titleOf = ({ init, arch }: TrainConfig): string =>
  init === undefined ? `Training ${arch}` : `Training from ${basename(init)}`;

/** This page's additions to the style that all pages share. */
const style = `
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 340px), 1fr)); gap: 20px 24px; margin-top: 12px; }
.charts svg, .wide svg { display: block; width: 100%; height: auto; } .charts svg { max-width: 440px; } .wide svg { min-width: 560px; max-width: 900px; }
.charts b { display: block; font-weight: 600; } h3 { font-size: 15px; margin: 20px 0 8px; }
.strip li { cursor: default; } .strip img { border-bottom: 0; }
summary { cursor: pointer; } summary h2 { display: inline-block; } .rejects { width: auto; }
.rejects th, .rejects td { text-align: right; white-space: nowrap; }
.legend i.line { height: 3px; vertical-align: 4px; border-radius: 0; }
`;

function header({ config, rows, validation }: TrainReport): string {
  const last = rows.at(-1);
  const best = validation.reduce((most, { accuracy }) => Math.max(most, accuracy), 0);
  const figures: readonly (readonly [string, string])[] =
    last === undefined
      ? []
      : [
          ['Step', last.step.toLocaleString('en')],
          ['Loss', threeFigures(last.loss)],
          ['Training accuracy', inPercent(last.accuracy, 1)],
          ...(best > 0 ? ([['Best verification accuracy', inPercent(best, 1)]] as const) : []),
          ['Mean magnitude', threeFigures(last.magnitudeMean)],
          ['Images a second', threeFigures(last.imagesPerSecond)],
          ...(last.skipped > 0 ? ([['Steps left out', String(last.skipped)]] as const) : []),
        ];
  return `<header><div><h1>${escaped(titleOf(config))}</h1><p class="verdict">${verdict(config, last)}</p></div><button id="theme" type="button" hidden>Dark / light</button></header>
${figures.length === 0 ? '' : `<dl class="counts">${figures.map(([what, figure]) => `<div><dt>${what}</dt><dd>${figure}</dd></div>`).join('')}</dl>`}`;
}

function verdict({ epochs }: TrainConfig, last: MetricsRow | undefined): string {
  if (last === undefined) return 'The run has not begun.';
  if (last.secondsLeft <= 0) return `The run is over: ${counted(epochs, 'epoch')}, ${counted(last.step, 'step')}.`;
  const left =
    last.secondsLeft < 5400
      ? `${Math.ceil(last.secondsLeft / 60)} minutes`
      : `${(last.secondsLeft / 3600).toFixed(1)} hours`;
  return `In epoch ${last.epoch + 1} of ${epochs}, some ${left} from its end.`;
}

const section = (title: string, says: string, body: string): string =>
  `<section><h2>${title}</h2><p class="soft">${says}</p>${body}</section>`;

const chart = (title: string, says: string, svg: string): string =>
  `<figure><b>${title}</b><figcaption>${says}</figcaption>${svg}</figure>`;

const grid = (...figures: readonly string[]): string => `<div class="charts">${figures.join('')}</div>`;

function learning(rows: readonly MetricsRow[], { lambdaG, printFreq }: TrainConfig): string {
  const curve = (title: string, says: string, of: charts.Curve): string =>
    chart(title, says, charts.stepCurve(rows, of));
  return section(
    'Learning',
    `Each point is the mean of ${counted(Math.min(printFreq, rows.at(-1)!.step), 'step')}.`,
    grid(
      curve('Identity loss', 'Cross-entropy with the margin.', { label: 'L', value: ({ lossId }) => lossId }),
      curve('Accuracy', 'Training faces nearest to their own center, no margin.', {
        label: 'Accuracy',
        value: ({ accuracy }) => accuracy,
        format: '%',
        zero: true,
      }),
      chart('Magnitude', 'Mean of ‖f‖ within the least and the greatest.', charts.magnitudeCurve(rows)),
      curve('Pull on magnitudes', 'λ_g · g(a): it falls as magnitudes grow.', {
        label: 'λ_g · g(a)',
        value: ({ lossG }) => lossG * lambdaG,
      }),
      curve('Margin', 'Mean of m(a).', { label: 'm(a)', value: ({ marginMean }) => marginMean }),
      curve('Learning rate', 'Of SGD.', { label: 'Rate', value: ({ lr }) => lr, zero: true }),
    ),
  );
}

function validationSection(rows: readonly ValidationRow[]): string {
  const cell = (value: number | null): string => `<td>${value === null ? '–' : inPercent(value, 1)}</td>`;
  const line = ({ epoch, accuracy, auc, rejectFnmr }: ValidationRow): string =>
    `<tr><td>${epoch}</td>${cell(accuracy)}<td>${auc.toFixed(4)}</td>${rejectFnmr.map(cell).join('')}</tr>`;
  const key = legend([
    ['var(--soft)', 'all pairs'],
    ['var(--accent)', 'without the lowest 30 %'],
  ]);
  const measured = rows.some(({ rejectFnmr }) => rejectFnmr[0] !== null);
  return section(
    'Validation',
    'People whom the model was not trained on. When magnitude is quality, FNMR falls as the pairs of lowest magnitude are turned away.',
    `${grid(
      chart('Accuracy', '10 folds.', charts.validationCurve(rows)),
      ...(measured ? [chart('Error versus reject', `FNMR at FMR 0.01 ${key}`, charts.rejectCurve(rows))] : []),
    )}<div class="scroll"><table class="rejects"><thead><tr><th>Epochs</th><th>Accuracy</th><th>AUC</th><th>FNMR</th><th>−10 %</th><th>−20 %</th><th>−30 %</th></tr></thead><tbody>${rows.map(line).join('')}</tbody></table></div>`,
  );
}

function magnitudes(pictures: Pictures, config: TrainConfig): string {
  const { svg, epochs } = charts.histogramChart(pictures);
  const shown = epochs.map((epoch, i): readonly [string, string] => [
    `color-mix(in srgb, var(--accent) ${Math.round(100 * charts.strength(i, epochs.length))}%, transparent)`,
    `epoch ${epoch + 1}`,
  ]);
  const key = legend([
    ['var(--soft)', 'a training face of the newest epoch'],
    ['var(--accent)', 'their mean cos θ'],
    ...(config.loss === 'magface' ? [[charts.secondColour, 'the margin m(a)'] as const] : []),
  ]);
  return section(
    'Magnitude as quality',
    'A longer feature should lie nearer to its class: that is what the loss asks for, and what makes magnitude a measure of quality.',
    `<h3>Magnitude and angle</h3>${key}<div class="scroll wide">${charts.angleChart(pictures, config)}</div>
<h3>Magnitudes by epoch</h3>${legend(shown)}${grid(`<figure>${svg}</figure>`)}`,
  );
}

const legend = (entries: readonly (readonly [colour: string, words: string])[]): string =>
  `<ul class="legend">${entries.map(([colour, words]) => `<li><i class="line" style="background:${colour}"></i>${words}</li>`).join('')}</ul>`;

function faces({ lowest, highest }: Pictures): string {
  const strip = (title: string, all: readonly PicturedFace[]): string => {
    const items = all.map(item).join('');
    return items === '' ? '' : `<h3>${title}</h3><ol class="strip">${items}</ol>`;
  };
  const strips = strip('Lowest magnitude', lowest) + strip('Highest magnitude', highest);
  return strips === '' ? '' : section('Faces', 'Training faces of the newest epoch, with their magnitude.', strips);
}

function item({ path, within, magnitude }: PicturedFace): string {
  if (!existsSync(within?.file ?? path)) return '';
  const type = { '.png': 'png', '.webp': 'webp', '.avif': 'avif' }[extname(path).toLowerCase()] ?? 'jpeg';
  const data = (within === undefined ? readFileSync(path) : readPackedFile(within)).toString('base64');
  return `<li><img alt="${escaped(path)}" title="${escaped(path)}" src="data:image/${type};base64,${data}"><b>${threeFigures(magnitude)}</b></li>`;
}

function settings(config: TrainConfig): string {
  const text = (value: unknown): string => (Array.isArray(value) ? value.join(', ') : String(value));
  const rows = Object.entries(config).filter(([, value]) => value !== undefined);
  return `<section><details><summary><h2>Settings</h2></summary><dl class="card">${rows.map(([key, value]) => `<dt>${escaped(key)}</dt><dd>${escaped(text(value))}</dd>`).join('')}</dl></details></section>`;
}
