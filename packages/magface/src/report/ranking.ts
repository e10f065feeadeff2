/** Ranks quality measures on one set and model, as rows, Markdown or LaTeX. */
import type { Interval } from '../eval/bootstrap.ts';
import type { PairReport } from '../eval/pair-report.ts';
import { asPercent, type RejectCurve } from '../eval/reject.ts';
import { differenceRange, figureText } from './figure-text.ts';

/** One measure. */
export interface RankedMeasure {
  readonly name: string;
  readonly curve: RejectCurve;
  /** Share of what the oracle gains over chance; null if a curve has no area. */
  readonly attained: number | null;
  /** What the best measure's area is smaller by, 95 % for all pairs of measures together; undefined for the best. */
  readonly behindBest: Interval | null | undefined;
}

/** @returns the measures, magnitude among them, best first */
export function rankMeasures({ reject, measures, baselines, bestMeasure }: PairReport): RankedMeasure[] {
  const { random, oracle } = baselines;
  const all = [{ name: 'magnitude', reject }, ...measures];
  const ranked = all.map(({ name, reject: curve }): RankedMeasure => {
    const gap = bestMeasure?.others.find(({ model }) => model === name);
    return { name, curve, attained: share(curve.pauc, random.pauc, oracle.pauc), behindBest: gap?.interval };
  });
  return ranked.sort((a, b) => (a.curve.paucArea ?? 1) - (b.curve.paucArea ?? 1));
}

function share(own: number | null, chance: number | null, oracle: number | null): number | null {
  return own === null || chance === null || oracle === null || chance === oracle
    ? null
    : (chance - own) / (chance - oracle);
}

/** Titles of {@link rankingCells}. */
export const rankingTitles = ['Measure', 'attained', 'pAUC × 10³', 'relative', 'behind the best'] as const;

export function rankingCells({ name, curve, attained, behindBest }: RankedMeasure): string[] {
  return [
    name,
    attained === null ? '–' : attained.toFixed(3).replace('-', '−'),
    figureText('paucArea', curve.paucArea),
    figureText('paucRelative', curve.paucRelative),
    behindBest === undefined ? 'best' : behindBest === null ? 'not known' : differenceRange('paucArea', behindBest),
  ];
}

/** What the table shows, in a sentence, for captions. */
export function rankingCaption(set: string, { model, reject }: PairReport): string {
  return `${set}, scores of ${model}: area below FNMR at FMR ${reject.fmr} (${reject.threshold} threshold) up to ${asPercent(reject.paucLimit)} of the pairs rejected. Attained: share of what an oracle gains over chance. Behind the best: 95 % interval by people, for all pairs of measures together.`;
}

/** @returns the table in GitHub's Markdown */
export function rankingMarkdown(caption: string, rows: readonly RankedMeasure[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    caption,
    '',
    line(rankingTitles),
    line(rankingTitles.map((_, i) => (i === 0 ? '---' : '---:'))),
    ...rows.map((row) => line(rankingCells(row))),
  ].join('\n');
}

/** @returns the table for LaTeX with booktabs */
export function rankingLatex(caption: string, rows: readonly RankedMeasure[]): string {
  const line = (cells: readonly string[]): string => `${cells.map(latexText).join(' & ')} \\\\`;
  return [
    '\\begin{table}',
    '\\centering',
    `\\caption{${latexText(caption)}}`,
    '\\begin{tabular}{lrrrr}',
    '\\toprule',
    line(rankingTitles),
    '\\midrule',
    ...rows.map((row) => line(rankingCells(row))),
    '\\bottomrule',
    '\\end{tabular}',
    '\\end{table}',
  ].join('\n');
}

/** @returns text with LaTeX's special signs escaped */
export const latexText = (text: string): string =>
  text
    .replace(/[\\&%$#_{}]/g, (sign) => (sign === '\\' ? '\\textbackslash{}' : `\\${sign}`))
    .replaceAll('× 10³', '$\\times 10^3$')
    .replaceAll('−', '$-$')
    .replaceAll('–', '--');
