/** What every measure attains on every set and model: one table over all rankings of a page. */
import type { EvaluatedSet } from './evaluated-set.ts';
import { latexText, rankMeasures } from './ranking.ts';

export interface Standings {
  readonly columns: readonly { readonly set: string; readonly model: string; readonly best: number | null }[];
  /** The highest mean first; then measures without a mean. */
  readonly rows: readonly {
    readonly name: string;
    /** Null if a column that others have lacks this measure: means over different columns would not compare. */
    readonly mean: number | null;
    /** One per column; null where the measure is missing or nothing can be attained. */
    readonly cells: readonly (number | null)[];
  }[];
}

export function standings(sets: readonly EvaluatedSet[]): Standings {
  const ranked = sets.flatMap(({ name: set, reports }) =>
    reports
      .filter(({ measures }) => measures.length > 0)
      .map((report) => ({
        set,
        model: report.model,
        attained: new Map(rankMeasures(report).map((row) => [row.name, row.attained])),
      })),
  );
  const names = [...new Set(ranked.flatMap(({ attained }) => [...attained.keys()]))];
  const columns = ranked.map(({ set, model, attained }) => {
    const known = [...attained.values()].filter((value) => value !== null);
    return { set, model, best: known.length === 0 ? null : Math.max(...known) };
  });
  const counted = ranked.filter((_, column) => columns[column]!.best !== null);
  const rows = names.map((name) => {
    const known = counted.flatMap(({ attained }) => attained.get(name) ?? []);
    const mean = known.reduce((sum, share) => sum + share, 0) / known.length;
    const isEverywhere = known.length > 0 && known.length === counted.length;
    const cells = ranked.map(({ attained }) => attained.get(name) ?? null);
    return {
      name,
      mean: isEverywhere ? mean : null,
      over: known.length === 0 ? Number.NEGATIVE_INFINITY : mean,
      cells,
    };
  });
  rows.sort((a, b) => Number(b.mean !== null) - Number(a.mean !== null) || b.over - a.over);
  return { columns, rows: rows.map(({ over: _, ...row }) => row) };
}

const textRows = ({ columns, rows }: Standings): string[][] => [
  ['Measure', 'mean', ...columns.map(({ set, model }) => `${set}, ${model}`)],
  ...rows.map(({ name, mean, cells }) => [
    name,
    ...[mean, ...cells].map((cell) => cell?.toFixed(3).replace('-', '−') ?? '–'),
  ]),
];

/** @returns the table in GitHub's Markdown */
export function standingsMarkdown(table: Standings): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const [head, ...rows] = textRows(table) as [string[], ...string[][]];
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

/** @returns the table for LaTeX with booktabs */
export function standingsLatex(table: Standings): string {
  const line = (cells: readonly string[]): string => `${cells.map(latexText).join(' & ')} \\\\`;
  const [head, ...rows] = textRows(table) as [string[], ...string[][]];
  return [
    `\\begin{tabular}{l${'r'.repeat(head.length - 1)}}`,
    '\\toprule',
    line(head),
    '\\midrule',
    ...rows.map(line),
    '\\bottomrule',
    '\\end{tabular}',
  ].join('\n');
}
