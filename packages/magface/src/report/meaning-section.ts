/** What the magnitude means on one set: as a probability of acceptance, and whether it means the same in every group. */
import * as Plot from '@observablehq/plot';
import type { QualityFairness } from '../eval/quality-fairness.ts';
import type { QualityMeaning } from '../eval/quality-meaning.ts';
import type { Reliability } from '../eval/reliability.ts';
import { draw } from './draw.ts';
import { counted, escaped, inPercent } from './page.ts';

/** Distinct for any colour vision (Okabe and Ito), on white and on black. */
const colours = { score: '#d55e00', fitted: '#0072b2' } as const;

/** @returns one section; nothing without meanings */
export function meaningSection(
  meanings: readonly { readonly model: string; readonly meaning: QualityMeaning }[],
): string {
  if (meanings.length === 0) return '';
  const { fmr } = meanings[0]!.meaning.reliability;
  const columns = [...new Set(meanings.flatMap(({ meaning }) => Object.keys(meaning.fairness ?? {})))];
  return `<section><h2>What a quality means</h2>
<p class="soft">Of the genuine pairs said to be accepted with probability p at FMR ${fmr}, is a share p accepted? On the dashed line it is. Orange: the model’s score / 100, which was fitted to be a percentile, so that distance from the line is no fault of the order. Blue: a logistic regression on the magnitude, fitted on half of the people and judged on the others. ECE is the mean distance from the line, Brier the mean squared error.</p>
<div class="curves">${meanings.map(({ model, meaning }) => reliabilityFigure(model, meaning)).join('')}</div>
${columns.map((column) => fairnessSection(column, meanings)).join('\n')}</section>`;
}

function reliabilityFigure(model: string, { reliability: { fitted, score, genuine } }: QualityMeaning): string {
  const words = (name: string, of: Reliability): string =>
    `${name} ECE ${of.ece.toFixed(3)}, Brier ${of.brier.toFixed(3)}`;
  const said = [...(score ? [words('score / 100:', score)] : []), words('fitted:', fitted)].join('; ');
  return `<figure>${reliabilityChart({ fitted, ...(score && { score }) })}<figcaption>${escaped(model)}, ${counted(genuine, 'genuine pair')}; ${said}</figcaption></figure>`;
}

/** Share accepted over predicted probability; one dot per bin, larger with more pairs. */
function reliabilityChart(series: { readonly fitted: Reliability; readonly score?: Reliability }): string {
  const marks = Object.entries(series).flatMap(([name, { bins }]) => {
    const stroke = colours[name as keyof typeof colours];
    return [
      Plot.line(bins, { x: 'predicted', y: 'accepted', stroke, strokeWidth: 1.5 }),
      Plot.dot(bins, {
        x: 'predicted',
        y: 'accepted',
        fill: stroke,
        r: ({ pairs }) => Math.min(6, 2 + Math.sqrt(pairs) / 8),
      }),
    ];
  });
  return draw({
    width: 400,
    height: 280,
    marginLeft: 54,
    marginBottom: 38,
    ariaLabel: 'Reliability: share of genuine pairs accepted, by predicted probability',
    style: { background: 'none', fontSize: '12px' },
    r: { type: 'identity' },
    x: { domain: [0, 1], label: 'Predicted probability' },
    y: { domain: [0, 1], label: 'Share accepted', grid: true },
    marks: [
      Plot.line([0, 1], {
        x: (at: number) => at,
        y: (at: number) => at,
        stroke: 'currentColor',
        strokeDasharray: '4 4',
        strokeOpacity: 0.6,
      }),
      ...marks,
    ],
  });
}

function fairnessSection(
  column: string,
  meanings: readonly { readonly model: string; readonly meaning: QualityMeaning }[],
): string {
  const parts = meanings.flatMap(({ model, meaning }) => {
    const fairness = meaning.fairness?.[column];
    if (fairness === undefined) return [];
    return [
      `<h4>${escaped(model)}: ${escaped(fairnessVerdict(fairness))}</h4><div class="ranked"><figure>${ratioChart(fairness)}</figure>${fairnessTable(column, fairness)}</div>${binTable(column, fairness)}`,
    ];
  });
  return `<h3>Does 50 mean the same FNMR in every ${escaped(column)}?</h3>
<p class="soft">Ratio: the FNMR of a group over that of all groups at the same qualities. Above 1, quality promises too much for the group; 1 is fair. A group of lower qualities and more errors passes. Bars are 95 % intervals by a bootstrap over people; p comes from shuffling the groups among people.</p>${parts.join('\n')}`;
}

/** The answer, with the groups that quality promises too much or too little for. */
export function fairnessVerdict({ groups, p }: QualityFairness): string {
  if (p === null) return 'There is one group only.';
  if (p >= 0.05) return `No difference that these pairs can show (p ${p.toFixed(3)}).`;
  const named = (which: (low: number, high: number) => boolean): string[] =>
    groups.filter(({ ratioInterval }) => ratioInterval !== null && which(...ratioInterval)).map(({ group }) => group);
  const [much, little] = [named((low) => low > 1), named((_, high) => high < 1)];
  const said = [
    ...(much.length > 0 ? [`too much for ${much.join(', ')}`] : []),
    ...(little.length > 0 ? [`too little for ${little.join(', ')}`] : []),
  ];
  return `No (p ${p.toFixed(3)})${said.length > 0 ? `; quality promises ${said.join(' and ')}` : ''}.`;
}

function ratioChart({ groups }: QualityFairness): string {
  const shown = groups.flatMap(({ group, ratio, ratioInterval }) =>
    ratio === null ? [] : [{ group, ratio, low: ratioInterval?.[0] ?? ratio, high: ratioInterval?.[1] ?? ratio }],
  );
  const widest = Math.max(0, ...shown.map(({ group }) => group.length));
  return draw({
    width: 400,
    height: 60 + 26 * shown.length,
    marginLeft: Math.min(150, 24 + 7 * widest),
    marginBottom: 36,
    ariaLabel: 'FNMR of each group over that of all groups at the same qualities',
    style: { background: 'none', fontSize: '12px' },
    x: { label: 'FNMR over expected', grid: true, zero: true, ticks: 5 },
    y: { label: null, domain: shown.map(({ group }) => group) },
    marks: [
      Plot.ruleX([1], { strokeDasharray: '4 4' }),
      Plot.ruleY(shown, { y: 'group', x1: 'low', x2: 'high', stroke: colours.fitted, strokeWidth: 2 }),
      Plot.dot(shown, { y: 'group', x: 'ratio', fill: colours.fitted, r: 4 }),
    ],
  });
}

const share = (value: number | null): string => (value === null ? '–' : inPercent(value, 1));

function fairnessTable(column: string, { groups }: QualityFairness): string {
  const rows = groups.map(({ group, genuine, fnmr, expected, ratio, ratioInterval }) => [
    escaped(group),
    String(genuine),
    share(fnmr),
    share(expected),
    ratio?.toFixed(2) ?? '–',
    ratioInterval?.map((end) => end.toFixed(2)).join(' to ') ?? '–',
  ]);
  return tableOf([column, 'Genuine', 'FNMR', 'expected', 'ratio', '95 %'], rows);
}

/** FNMR of every group in every bin of quality. */
function binTable(column: string, { bins, groups }: QualityFairness): string {
  const rows = groups.map(({ group, bins: own }) => [
    escaped(group),
    ...own.map(({ fnmr, genuine }) => `${share(fnmr)}<small>${genuine} pairs</small>`),
  ]);
  return `<details><summary>FNMR by magnitude</summary>${tableOf([column, ...bins.map(({ from }) => `from ${from.toFixed(2)}`)], rows)}</details>`;
}

/** @param rows - HTML */
const tableOf = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  `<div class="scroll"><table><thead><tr>${head.map((title) => `<th>${escaped(title)}</th>`).join('')}</tr></thead><tbody>${rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('')}</tbody></table></div>`;
