import type { EvaluatedSet } from './evaluated-set.ts';
import { modelLegend, setSections } from './evaluation-sections.ts';
import { overviewNotes, overviewTable } from './evaluation-tables.ts';
import { comparisonText } from './figure-text.ts';
import { counted, escaped, inPercent, page } from './page.ts';
import { copyTables, lightLines, switchThemes } from './page-script.ts';
import { type Provenance, provenanceSection, rankingSection, rankingVerdict } from './ranking-section.ts';

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
<header><div><h1>${escaped(title)}</h1><p class="verdict">${escaped((provenance && rankingVerdict(sets)) ?? verdict(sets, models))}</p></div><button id="theme" type="button" hidden>Dark / light</button></header>
<main>
${failures.length > 0 ? `<section class="failures"><h2>Without figures</h2><ul>${failures.map((line) => `<li>${escaped(line)}</li>`).join('')}</ul></section>` : ''}
${provenance === undefined ? '' : rankingSection(sets)}
<section><h2>Results</h2>${models.length > 1 ? modelLegend(models) : ''}${overviewTable(sets, models)}${overviewNotes(sets)}${contents}</section>
${provenance === undefined ? rankingSection(sets) : ''}
${sets.map((set, i) => `<article id="set-${i}">${setSections(set, { models, heading: sets.length > 1 })}</article>`).join('\n')}
${provenance === undefined ? '' : provenanceSection(provenance)}
</main>`;
  return page({ title: `${title}: verification`, body, scripts: [switchThemes, copyTables, lightLines] });
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

const evaluationStyle: string = `
h1, h2 { overflow-wrap: anywhere; } h3 { font-size: 15px; margin: 28px 0 8px; } a { color: var(--accent); }
article { border-top: 1px solid var(--line); margin-top: 44px; } article > h2 { font-size: 23px; margin-top: 28px; }
.curves { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 340px), 1fr)); gap: 20px 24px; margin-top: 12px; }
.curves svg { display: block; width: 100%; height: auto; max-width: 560px; }
td, th { white-space: nowrap; padding-right: 14px; } th:not(:first-child), td:not(:first-child) { text-align: right; }
td.best { font-weight: 600; } td small { display: block; font-weight: 400; } .below { margin-top: 12px; } .differences { padding-left: 20px; margin: 8px 0; } .differences li { margin: 4px 0; } summary { cursor: pointer; font-weight: 600; margin-top: 16px; } td i { background: var(--series); }
.pairs { list-style: none; margin: 0; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(172px, 1fr)); gap: 16px 14px; }
.pairs li > div { display: grid; grid-template-columns: 1fr 1fr; gap: 4px; max-width: 240px; } .pairs img { display: block; width: 100%; aspect-ratio: 1; object-fit: cover; border-radius: 6px; }
.pairs p { margin: 4px 0 0; line-height: 1.35; } .pairs small { display: block; overflow-wrap: anywhere; }
.failures li { margin: 4px 0; } tr.best td { font-weight: 600; }
.copy figure { margin: 10px 0; } pre { overflow-x: auto; padding: 10px 12px; border: 1px solid var(--line); border-radius: 6px; font-size: 12px; line-height: 1.45; white-space: pre-wrap; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: fit-content(30%) minmax(0, 1fr); gap: 4px 16px; margin: 12px 0; } dt { font-weight: 600; overflow-wrap: anywhere; } dd { margin: 0; overflow-wrap: anywhere; }
.ranked { display: grid; grid-template-columns: minmax(0, 1fr); gap: 12px 28px; align-items: start; margin-top: 8px; } .ranked svg { max-width: 100%; height: auto; } h4 { font-size: 14px; margin: 18px 0 4px; }
@media (min-width: 900px) { .ranked { grid-template-columns: minmax(0, 5fr) minmax(0, 6fr); } }
button.line { border: 0; background: none; padding: 2px 0; text-align: left; font: inherit; white-space: nowrap; } button.line svg { width: 26px; height: 8px; margin-right: 8px; vertical-align: 2px; } button.line[aria-pressed=true] { color: var(--accent); font-weight: 600; }
.dimmed { opacity: .08; } .lit-line { stroke-opacity: 1 !important; stroke-width: 3 !important; }
.shares td { background: linear-gradient(to right, color-mix(in srgb, var(--accent) 16%, transparent) var(--share, 0%), transparent var(--share, 0%)); padding-left: 8px; } .shares th, .shares td { font-size: 14px; padding-right: 8px; } .shares th { font-size: 12px; white-space: normal; vertical-align: bottom; min-width: 72px; padding-left: 8px; } .shares td:first-child { background: none; }
@media (max-width: 560px) { dl { grid-template-columns: minmax(0, 1fr); gap: 0; } dd { margin-bottom: 8px; } }
@media print {
  @page { margin: 14mm; }
  article { break-before: page; } .pairs li, .curves figure, .ranked, h3, h4 { break-inside: avoid; } h3, h4, .ranked { break-after: avoid; }
  .ranked { grid-template-columns: minmax(0, 1fr) minmax(0, 1.1fr); gap: 8px 14px; } .curves { grid-template-columns: 1fr 1fr; }
  .copy, nav, details:not([open]) { display: none; } td, th { padding-right: 6pt; font-size: 8pt; } td, th { white-space: normal; } .pairs { grid-template-columns: repeat(6, 1fr); gap: 8px; } .pairs small { font-size: 6.5pt; }
  pre { font-size: 8pt; } dl { font-size: 8.5pt; }
}
`;
