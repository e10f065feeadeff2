/**
 * Draws the README's picture: error versus reject of the default model on LFW pairs of people it was not trained on, at the
 * threshold of FMR 1e-2. `npx tsx -C magface:source bench/reject-picture.ts [FEATURES.npy]` embeds LFW's faces (`npm run data
 * -- lfw`) unless features are given. Writes bench/results/reject-picture.json and docs/images/error-versus-reject.svg.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as Plot from '@observablehq/plot';
import { draw } from '../packages/magface/src/report/draw.ts';
import { researchFolder } from './support/data.ts';
import { writeResult } from './support/result.ts';

interface Curve {
  readonly rejectRates: readonly number[];
  readonly fnmr: readonly (number | null)[];
  readonly baselines: Readonly<Record<'random' | 'oracle', { readonly fnmr: readonly (number | null)[] }>>;
}

const root = fileURLToPath(new URL('../', import.meta.url));
const lfw = join(researchFolder('faces/lfw'), 'faces/lfw');
const pairs = join(lfw, 'test_pairs.list');
const folder = mkdtempSync(join(tmpdir(), 'magface-picture-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const magface = (...words: readonly string[]): string =>
  execFileSync(process.execPath, [join(root, 'packages/magface/bin/magface.js'), ...words, '--quiet'], {
    encoding: 'utf8',
  });

function embedFaces(): string {
  const names = readFileSync(pairs, 'utf8')
    .split(/\s+/)
    .filter((word) => word.endsWith('.jpg'));
  const list = join(folder, 'faces.list');
  writeFileSync(list, [...new Set(names)].sort().join('\n'));
  const features = join(folder, 'faces.npy');
  magface('embed', '--list', list, '--root', lfw, '--aligned', '--output', features);
  return features;
}

const features = process.argv[2] ?? embedFaces();
const reject = ['evaluate', 'reject', '--features', features, '--pairs', pairs];
const curve = JSON.parse(magface(...reject, '--fmr', '0.01', '--threshold', 'fixed', '--json')) as Curve;
const upToHalf = curve.rejectRates.findIndex((rate) => rate > 0.501);
const points = (fnmr: readonly (number | null)[]): { rate: number; fnmr: number }[] =>
  fnmr.slice(0, upToHalf).map((value, i) => ({ rate: curve.rejectRates[i]!, fnmr: value ?? Number.NaN }));
const lines = [
  { name: 'by chance', fnmr: curve.baselines.random.fnmr, colour: '#888888', dashes: '6 4', at: 7 },
  { name: 'the most there is', fnmr: curve.baselines.oracle.fnmr, colour: '#888888', dashes: '1 4', at: 2 },
  { name: 'by magnitude', fnmr: curve.fnmr, colour: '#0072b2', dashes: 'none', at: 4 },
];
const svg = draw({
  width: 720,
  height: 300,
  marginLeft: 60,
  marginBottom: 46,
  marginTop: 32,
  x: { label: 'Pairs turned away, of lowest quality first', tickFormat: '%' },
  y: { label: 'False non-matches at FMR 1 %', tickFormat: '.1%', grid: true, zero: true, ticks: 5 },
  marks: lines.flatMap(({ name, fnmr, colour, dashes, at }) => [
    Plot.line(points(fnmr), { x: 'rate', y: 'fnmr', stroke: colour, strokeWidth: 2.5, strokeDasharray: dashes }),
    Plot.text([{ ...points(fnmr)[at]!, name }], {
      x: 'rate',
      y: 'fnmr',
      text: 'name',
      fill: colour,
      dy: -12,
      textAnchor: 'start',
    }),
  ]),
});
// A standalone picture must include the colours that a page would provide.
const alone = svg.replace(
  '<svg ',
  '<svg xmlns="http://www.w3.org/2000/svg" style="background: white; color: #222222; font-size: 13px" ',
);
writeFileSync(join(root, 'docs/images/error-versus-reject.svg'), `${alone}\n`);
writeResult('reject-picture', {
  model: 'magface-small',
  pairs: 4000,
  fmr: 0.01,
  threshold: 'fixed',
  rejectRates: points(curve.fnmr).map(({ rate }) => Number(rate.toFixed(2))),
  byMagnitude: points(curve.fnmr).map(({ fnmr }) => fnmr),
  byChance: points(curve.baselines.random.fnmr).map(({ fnmr }) => fnmr),
  oracle: points(curve.baselines.oracle.fnmr).map(({ fnmr }) => fnmr),
});
