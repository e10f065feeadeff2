import { parseHTML } from 'linkedom';
import { expect, test } from 'vitest';
import { magnitudesOf } from '../../src/eval/feature-set.ts';
import type { LoadedPairs } from '../../src/eval/load-pairs.ts';
import { reportPairs } from '../../src/eval/pair-report.ts';
import { randomStream } from '../../src/random.ts';
import { pairQuality } from '../../src/eval/reject.ts';
import { cosineSimilarities } from '../../src/eval/verification.ts';
import { evaluationPage } from '../../src/report/evaluation-page.ts';

/** 400 pairs whose names hold what HTML would read as markup; every second is genuine, its right near its left. */
function madeUp(seed: number): LoadedPairs {
  const random = randomStream(seed);
  const values = Float32Array.from({ length: 800 * 4 }, () => random() - 0.5);
  const same = Uint8Array.from({ length: 400 }, (_, pair) => pair % 2);
  same.forEach((label, pair) => {
    for (let d = 8 * pair; d < 8 * pair + 4; d++) values[d + 4]! += 2 * label * values[d]!;
  });
  const features = { values, dimension: 4, names: Array.from({ length: 800 }, (_, row) => `<b>&"${row}".jpg`) };
  const rows = {
    left: Uint32Array.from(same, (_, k) => 2 * k),
    right: Uint32Array.from(same, (_, k) => 2 * k + 1),
    same,
  };
  const quality = pairQuality(magnitudesOf(features), rows);
  return { features, rows, similarities: cosineSimilarities(features, rows), same, quality, columns: {} };
}

test('models stand side by side in one file that loads nothing and takes no text for markup', () => {
  const measures = { sharpness: madeUp(3).quality };
  const reports = [reportPairs(madeUp(1), 'first & best', { measures }), reportPairs(madeUp(2), 'second')];
  const picture = 'data:image/png;base64,AAAA';
  const pictures = new Map([[reports[0]!.hardest.genuine[0]!.left, picture]]);
  const html = evaluationPage({ title: 'pairs <1>', reports, pictures });
  const { document } = parseHTML(html);

  expect(document.querySelector('h1')?.textContent).toBe('pairs <1>');
  expect(html).not.toMatch(/<b>&"|\bsrc="(?!data:)|href=|@import|url\(/);
  const charts = [...document.querySelectorAll('figure svg')].map((svg) => svg.getAttribute('aria-label') ?? '');
  expect(charts.map((label) => label.split(':')[0])).toEqual([
    'ROC',
    'DET',
    'Error versus reject',
    ...['Cosine similarity', 'Magnitude, the lower of a pair', 'Cosine similarity', 'Magnitude, the lower of a pair'],
  ]);
  expect([...document.querySelectorAll('.pairs img')].map((image) => image.getAttribute('src'))).toEqual([picture]);
  const [summary, thresholds] = [...document.querySelectorAll('tbody')].map(
    (body) => body.querySelectorAll('tr').length,
  );
  expect([summary, thresholds]).toEqual([2, 4]);
  expect(document.querySelector('tbody td')?.textContent).toBe('first & best');
  expect(html).toMatch(/Other measures: .*sharpness on first &#38; best: pAUC 0\.\d{5}/);
  expect(html).not.toContain('NaN');
});
