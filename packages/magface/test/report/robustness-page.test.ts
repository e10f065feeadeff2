import { parseHTML } from 'linkedom';
import { expect, test } from 'vitest';
import { robustnessReport } from '../../src/eval/robustness.ts';
import { robustnessPage } from '../../src/report/robustness-page.ts';

const strengths = [0, 0.5, 1];
const falling = { magnitudes: [20, 15, 10], similarities: [1, 0.8, 0.2] };
const deaf = { magnitudes: [20, 21, 22], similarities: [1, 0.8, 0.2] };
const report = robustnessReport(
  new Map([
    ['blur', [falling, falling]],
    ['jpeg', [deaf, deaf]],
  ]),
  strengths,
);
const step = { damage: 'σ <1> px', picture: 'data:image/jpeg;base64,AAAA', magnitude: 15, similarity: 0.8 };
const example = { name: '<b>&.jpg', rows: [{ kind: 'blur', steps: [step, step] }] };

test('shows a chart per kind, the correlations and one face, loads nothing and escapes all text', () => {
  const calibration = { centre: 15, width: 2, source: 'made up' };
  const html = robustnessPage({ model: { name: '<i>m</i>', calibration }, report, example });
  const { document } = parseHTML(html);
  expect(html).not.toMatch(/<i>m|<b>&|<1>|\bsrc="(?!data:)|href=|@import/);
  expect(document.querySelector('h1')?.textContent).toBe('Robustness: <i>m</i>');
  expect([...document.querySelectorAll('figure svg')].map((svg) => svg.getAttribute('aria-label'))).toEqual([
    'blur: magnitude and similarity by strength of damage',
    'jpeg: magnitude and similarity by strength of damage',
  ]);
  const rows = [...document.querySelectorAll('tbody tr')].map((row) =>
    [...row.children].map((cell) => cell.textContent).join('|'),
  );
  expect(rows[0]).toBe('Blur|−1.00|−1.00 to −1.00|1.00|1.00 to 1.00');
  expect(rows[1]).toBe('JPEG|1.00|1.00 to 1.00|−1.00|−1.00 to −1.00');
  expect(document.querySelectorAll('.strip img')).toHaveLength(2);
  expect(document.querySelector('.strip li')?.textContent).toBe('5015.0σ <1> pxcosine 0.80');
});

test('says under which damage quality falls, and which it does not detect', () => {
  const html = robustnessPage({ model: { name: 'm', calibration: undefined }, report, example });
  expect(parseHTML(html).document.querySelector('.verdict')?.textContent).toBe(
    'Quality falls step by step under blur; it does not tell jpeg. What it loses foretells the loss of similarity with rank correlation 0.00.',
  );
});
