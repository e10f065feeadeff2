import { parseHTML } from 'linkedom';
import { expect, test } from 'vitest';
import { compareModels } from '../../src/eval/compare-models.ts';
import type { LoadedPairs } from '../../src/eval/load-pairs.ts';
import { type MeasuredModel, type MeasureOptions, measureModel } from '../../src/eval/measure-model.ts';
import type { PairReport } from '../../src/eval/pair-report.ts';
import { cosineSimilarities } from '../../src/eval/verification.ts';
import { randomStream } from '../../src/random.ts';
import { evaluationPage } from '../../src/report/evaluation-page.ts';
import { madeUpPairs } from '../support/made-up-pairs.ts';

/** Pairs whose names hold what HTML would read as markup. */
const madeUp = (seed: number): LoadedPairs =>
  madeUpPairs(seed, {
    nameOf: (row) => `<b>&"${row}".jpg`,
    columns: { camera: Array.from({ length: 400 }, (_, pair) => (pair % 8 < 4 ? 'old <x>' : 'new')) },
    views: Array.from({ length: 800 }, (_, row) => (row % 2 === 0 ? 'frontal' : 'profile')),
  });

/** The same pairs seen by a model that takes every n-th genuine pair for two people. */
function withStrangers(loaded: LoadedPairs, n: number): LoadedPairs {
  const random = randomStream(9);
  const values = loaded.features.values.map((value, i) => {
    const pair = i >> 3;
    return loaded.same[pair] === 1 && pair % (2 * n) === 1 && i % 8 > 3 ? random() - 0.5 : value;
  });
  const features = { ...loaded.features, values };
  return { ...loaded, features, similarities: cosineSimilarities(features, loaded.rows) };
}

const reportPairs = (loaded: LoadedPairs, model: string, options?: MeasureOptions): PairReport =>
  measureModel(loaded, model, options).report;

test('shows models side by side in one file that loads nothing and escapes all text', () => {
  const measures = { sharpness: madeUp(3).quality };
  const reports = [reportPairs(madeUp(1), 'first & best', { measures }), reportPairs(madeUp(2), 'second')];
  const picture = 'data:image/png;base64,AAAA';
  const pictures = new Map([[reports[0]!.hardest.genuine[0]!.left, picture]]);
  const html = evaluationPage({ title: 'pairs <1>', sets: [{ name: 'set', notes: ['a < b'], reports, pictures }] });
  const { document } = parseHTML(html);
  const all = (selector: string) => Array.from(document.querySelectorAll(selector));

  expect(document.querySelector('h1')?.textContent).toBe('pairs <1>');
  expect(document.querySelector('.verdict')?.textContent).toMatch(/^2 models on 400 pairs over 10 folds\.$/);
  expect(html).not.toMatch(/<b>&"|\bsrc="(?!data:)|href=|@import|url\(|<x>|a < b/);
  const charts = all('figure svg').map((svg) => (svg.getAttribute('aria-label') ?? '').split(':')[0]);
  const ofModel = ['Cosine similarity', 'Magnitude, the lower of a pair', 'Magnitude of a face'];
  expect(charts).toEqual([
    'Error versus reject by 2 measures',
    'ROC',
    'DET',
    'Error versus reject',
    ...ofModel,
    ...ofModel,
  ]);
  expect(all('.pairs img').map((image) => image.getAttribute('src'))).toEqual([picture]);
  // Results, the ranking of one model's measures, thresholds, and for each model its two groups.
  expect(all('tbody').map((body) => body.querySelectorAll('tr').length)).toEqual([2, 2, 4, 2, 2]);
  expect(document.querySelector('tbody td')?.textContent).toBe('first & best');
  const figure = '[\\d.]+, relative \\d\\.\\d{3}';
  const [magnitude, sharpness, second] = all('.measures li').map((line) => line.textContent);
  expect(magnitude).toMatch(
    new RegExp(`^magnitude of first & best: ${figure} \\(chance ${figure}; oracle ${figure}\\)$`),
  );
  expect(sharpness).toMatch(
    new RegExp(`^sharpness on first & best: ${figure}; no difference from magnitude that these`),
  );
  expect(second).toMatch(/^magnitude of second: /);
  expect(
    all('figcaption')
      .map((caption) => caption.textContent)
      .join(' '),
  ).toMatch(/FNMR at FMR 0\.01 \(exact threshold\).*At 30 % these are \d+ genuine and \d+ impostor/);
  expect(html).not.toContain('NaN');
});

test('shows a leading model only if a paired difference supports it', () => {
  // `worse` sees the same pairs, a tenth of its genuine features replaced by a stranger's; `alike` sees other noise.
  const better = madeUp(1);
  const worse = withStrangers(better, 10);
  const page = (models: readonly MeasuredModel[]): string => {
    const set = { name: 'set', reports: models.map(({ report }) => report), comparisons: compareModels(models) };
    return evaluationPage({ title: 'pairs', sets: [set] });
  };
  const [first, second] = [measureModel(better, 'better'), measureModel(worse, 'worse')];
  const led = parseHTML(page([first, second])).document;
  expect(led.querySelector('.verdict')?.textContent).toMatch(
    /^2 models on 400 pairs over 10 folds\. Accuracy \(official\): better \([\d.]+ %\) is better than worse \([\d.]+ %\) by [\d.]+ points \([\d.]+ to [\d.]+\)\.$/,
  );
  const bold = Array.from(led.querySelectorAll('td.best')).map(
    (cell) => cell.parentElement?.querySelector('td')?.textContent,
  );
  expect(new Set(bold)).toEqual(new Set(['better']));

  const even = parseHTML(
    page([first, { ...first, model: 'copy', report: { ...first.report, model: 'copy' } }]),
  ).document;
  expect(even.querySelector('.verdict')?.textContent).toMatch(
    /no difference that these pairs can show between better \(.*\) and copy \(.*\): 0\.00 points \(0\.00 to 0\.00\)\.$/,
  );
  expect(even.querySelectorAll('td.best')).toHaveLength(0);
});

test('has a part for each set, linked from the top, and names a failed set', () => {
  const sets = [
    { name: 'one', reports: [reportPairs(madeUp(1), 'a'), reportPairs(madeUp(2), 'b')] },
    { name: 'two', reports: [reportPairs(madeUp(3), 'b')] },
  ];
  const html = evaluationPage({ title: 'suite', sets, failures: ['three: not there'] });
  const { document } = parseHTML(html);
  const all = (selector: string) => Array.from(document.querySelectorAll(selector));
  expect(all('nav a').map((link) => [link.getAttribute('href'), link.textContent])).toEqual([
    ['#set-0', 'one'],
    ['#set-1', 'two'],
  ]);
  expect(all('article').map(({ id }) => id)).toEqual(['set-0', 'set-1']);
  expect(all('details:has(> .pairs)').map((folded) => folded.hasAttribute('open'))).toEqual([false, false, false]);
  expect(document.querySelector('.failures')?.textContent).toContain('three: not there');
  // A model keeps its colour in every set.
  const lines = all('#set-1 figure svg')[0]!;
  expect(lines.outerHTML).toContain('#d55e00');
  expect(lines.outerHTML).not.toContain('#0072b2');
});
