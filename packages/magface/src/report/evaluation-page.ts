import type { EvaluatedSet } from './evaluated-set.ts';
import { modelLegend, setSections } from './evaluation-sections.ts';
import { evaluationStyle } from './evaluation-style.ts';
import { overviewNotes, overviewTable } from './evaluation-tables.ts';
import { comparisonText } from './figure-text.ts';
import { counted, escaped, inPercent, page } from './page.ts';
import { copyTables, switchThemes } from './page-script.ts';
import { type Provenance, provenanceSection, rankingSection } from './ranking-section.ts';

/** Data of a page. */
export interface EvaluationPage {
  /** The usual name of the list of pairs or suite. */
  readonly title: string;
  /** At least one. */
  readonly sets: readonly EvaluatedSet[];
  /** Failed sets, one sentence each. @default none */
  readonly failures?: readonly string[];
  /** How the numbers were made. @default not told */
  readonly provenance?: Provenance | undefined;
}

/** @returns the whole HTML file; it loads nothing, and all text in it is escaped */
export function evaluationPage({ title, sets, failures = [], provenance }: EvaluationPage): string {
  const models = modelsOf(sets);
  const contents =
    sets.length < 2
      ? ''
      : `<nav><ul class="legend">${sets.map(({ name }, i) => `<li><a href="#set-${i}">${escaped(name)}</a></li>`).join('')}</ul></nav>`;
  const body = `<style>${evaluationStyle}</style>
<header><div><h1>${escaped(title)}</h1><p class="verdict">${escaped(verdict(sets, models))}</p></div><button id="theme" type="button" hidden>Dark / light</button></header>
<main>
${failures.length > 0 ? `<section class="failures"><h2>Without figures</h2><ul>${failures.map((line) => `<li>${escaped(line)}</li>`).join('')}</ul></section>` : ''}
<section><h2>Results</h2>${models.length > 1 ? modelLegend(models) : ''}${overviewTable(sets, models)}${overviewNotes(sets)}${contents}</section>
${rankingSection(sets)}
${sets.map((set, i) => `<article id="set-${i}">${setSections(set, { models, heading: sets.length > 1 })}</article>`).join('\n')}
${provenance === undefined ? '' : provenanceSection(provenance)}
</main>`;
  return page({ title: `${title}: verification`, body, scripts: [switchThemes, copyTables] });
}

/** Names of all models, each once: the index gives the colour. */
function modelsOf(sets: readonly EvaluatedSet[]): string[] {
  return [...new Set(sets.flatMap(({ reports }) => reports.map(({ model }) => model)))];
}

/** The page in one sentence. A model leads only if the pairs show it. */
function verdict(sets: readonly EvaluatedSet[], models: readonly string[]): string {
  const [first] = sets;
  if (first === undefined) return 'No set gave figures.';
  if (sets.length > 1) return `${counted(models.length, 'model')} on ${counted(sets.length, 'set')} of pairs.`;
  const { pairs, folds, accuracy, tarAtFar } = first.reports[0]!.verification;
  const list = `${counted(pairs, 'pair')} over ${folds} folds`;
  if (first.reports.length > 1) {
    const comparison = first.comparisons?.find(({ figure }) => figure === 'accuracy');
    const said = comparison === undefined ? '' : ` ${comparisonText(comparison, first.reports)}`;
    return `${counted(first.reports.length, 'model')} on ${list}.${said}`;
  }
  const strictest = Object.keys(tarAtFar).sort((a, b) => Number(a) - Number(b))[0];
  const at =
    strictest === undefined
      ? ''
      : ` At a false accept rate of ${strictest} it accepts ${inPercent(tarAtFar[strictest]!)} of the genuine pairs.`;
  return `${first.reports[0]!.model} decides ${inPercent(accuracy)} of ${list} correctly.${at}`;
}
