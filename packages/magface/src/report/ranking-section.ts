/** The page's section on quality measures: ranked tables, texts to copy, and how the numbers were made. */

import type { EvaluatedSet } from './evaluated-set.ts';
import { escaped } from './page.ts';
import { rankingCaption, rankingCells, rankingLatex, rankingMarkdown, rankingTitles, rankMeasures } from './ranking.ts';

/** How a page's numbers were made. */
export interface Provenance {
  /** The exact command. */
  readonly command: string;
  /** What was used, a line each: models, sets and versions with their digests. */
  readonly parts: readonly (readonly [what: string, value: string])[];
  /** What each measure is, by name. */
  readonly measures: Readonly<Record<string, string>>;
}

/** @returns nothing for a page on which magnitude is the only measure */
export function rankingSection(sets: readonly EvaluatedSet[]): string {
  const tables = sets.flatMap(({ name, reports }) =>
    reports
      .filter(({ measures }) => measures.length > 0)
      .map((report) => {
        const rows = rankMeasures(report);
        const caption = rankingCaption(name, report);
        const shown = report.bestMeasure?.shown === true;
        const body = rows.map((row, place) => {
          const cells = rankingCells(row).map((cell) => `<td>${escaped(cell)}</td>`);
          return `<tr${place === 0 && shown ? ' class="best"' : ''}>${cells.join('')}</tr>`;
        });
        const head = rankingTitles.map((title) => `<th>${escaped(title)}</th>`).join('');
        const said = shown
          ? 'The best measure is better than every other beyond chance.'
          : 'No measure is better than every other beyond chance.';
        return `<h3>${escaped(name)}, scores of ${escaped(report.model)}</h3><div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>
<p class="soft below">${escaped(caption)} ${said}</p>
<details class="copy"><summary>Copy this table</summary>${copied('Markdown', rankingMarkdown(caption, rows))}${copied('LaTeX', rankingLatex(caption, rows))}</details>`;
      }),
  );
  return tables.length === 0
    ? ''
    : `<section id="measures"><h2>Quality measures, ranked</h2>${tables.join('\n')}</section>`;
}

const copied = (format: string, text: string): string =>
  `<figure><figcaption>${format} <button type="button" hidden>Copy</button></figcaption><pre>${escaped(text)}</pre></figure>`;

export function provenanceSection({ command, parts, measures }: Provenance): string {
  const row = ([what, value]: readonly [string, string]): string =>
    `<dt>${escaped(what)}</dt><dd>${escaped(value)}</dd>`;
  return `<section id="provenance"><h2>How these numbers were made</h2>
<pre>${escaped(command)}</pre>
<dl>${parts.map(row).join('')}</dl>
<h3>Measures</h3><dl>${Object.entries(measures).map(row).join('')}</dl></section>`;
}
