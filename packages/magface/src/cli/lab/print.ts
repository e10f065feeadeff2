/** Prints the ranking of quality measures. */
import type { EvaluatedSet } from '../../report/evaluated-set.ts';
import { fairnessVerdict } from '../../report/meaning-section.ts';
import { rankingCaption, rankingCells, rankingTitles, rankMeasures } from '../../report/ranking.ts';
import { rankingVerdict } from '../../report/ranking-section.ts';
import type { Context } from '../context.ts';
import type { SuiteResult } from '../evaluate/suite-files.ts';
import { formatOf, type OutputFlags } from '../options.ts';
import { createRows, printRecord, printSentences } from '../output.ts';

const fairnessOf = (meanings: NonNullable<EvaluatedSet['meanings']>) =>
  meanings.flatMap(({ model, meaning }) =>
    Object.entries(meaning.fairness ?? {}).map(([column, fairness]) => ({ model, column, fairness })),
  );

export async function printLab(
  { title, sets, failures, provenance }: SuiteResult,
  { flags, context: { stdout } }: { readonly flags: OutputFlags; readonly context: Context },
): Promise<void> {
  const format = formatOf(flags);
  const ranked = sets.flatMap(({ name: set, reports }) =>
    reports.flatMap((report) => rankMeasures(report).map((row) => ({ set, model: report.model, ...row }))),
  );
  const records = ranked.map(({ curve: { paucArea, paucRelative, fmr, paucLimit }, ...row }) => ({
    ...row,
    ...{ fmr, paucLimit, paucArea, paucRelative },
  }));
  const meanings = sets.flatMap(({ name: set, meanings: all = [] }) =>
    all.map(({ model, meaning }) => ({ set, model, ...meaning })),
  );
  if (format === 'json')
    return printRecord(stdout, { title, measures: records, meanings, failures, provenance }, { format, lines: [] });
  if (format !== 'table') {
    const table = ['set', 'model', 'name', 'fmr', 'paucLimit', 'paucArea', 'paucRelative', 'attained'] as const;
    const rows = createRows<(typeof records)[number]>(stdout, {
      format,
      table: table.map((title) => ({ title, value: (row) => row[title] ?? undefined })),
    });
    for (const record of records) await rows.write(record);
    return rows.close();
  }
  for (const { name, reports, meanings: all = [] } of sets) {
    for (const report of reports) {
      const rows = createRows<readonly string[]>(stdout, {
        format,
        table: rankingTitles.map((title, i) => ({ title, value: (row) => row[i], ...(i > 0 && { layout: 'right' }) })),
      });
      for (const row of rankMeasures(report)) await rows.write(rankingCells(row));
      await rows.close();
      await printSentences(stdout, [rankingCaption(name, report)]);
    }
    for (const { model, column, fairness } of fairnessOf(all))
      await printSentences(stdout, [
        `${name}, ${model}: does 50 mean the same FNMR in every ${column}? ${fairnessVerdict(fairness)}`,
      ]);
  }
  const verdict = rankingVerdict(sets);
  if (verdict !== undefined) await printSentences(stdout, [verdict]);
}
