/** How the numbers of a laboratory page were made: the command with all defaults, and digests of all that it read. */
import { describeMethod } from '../../eval/methods/method-names.ts';
import type { Provenance } from '../../report/ranking-section.ts';
import type { Suite } from '../evaluate/suite-config.ts';
import type { SuiteResult } from '../evaluate/suite-files.ts';
import { readVersion } from '../version.ts';
import type { LabFlags } from './flags.ts';

/** Names the command with all that it left to defaults, and what it read, by digest. */
export function provenanceOf(
  suite: Suite,
  { inputs }: SuiteResult,
  { suiteFile, flags }: { readonly suiteFile: string | undefined; readonly flags: LabFlags },
): Provenance {
  const parts = [['magface', readVersion()] as const, ...inputs];
  const methods = [...suite.methods, ...suite.sets.flatMap((set) => set.methods ?? [])];
  const measures = Object.fromEntries(['magnitude', ...methods].map((name) => [name, describeMethod(name)]));
  for (const file of [...suite.scores, ...suite.sets.flatMap((set) => set.scores ?? [])])
    measures[file] = 'scores from this file';
  return { command: commandOf(suite, suiteFile, flags), parts, measures };
}

function commandOf(suite: Suite, suiteFile: string | undefined, flags: LabFlags): string {
  const { fmr, threshold, startFnmr, rejectRates, paucLimit } = suite.reject;
  const words = [
    'magface lab',
    ...(suiteFile === undefined ? ['--set', ...(flags.set ?? [])] : [suiteFile]),
    ...(flags.pairs ? ['--pairs', flags.pairs] : []),
    ...(flags.images ? ['--images', flags.images] : []),
    ...(flags.protocol ? ['--protocol', flags.protocol] : []),
    '--models',
    ...suite.models.map(({ model }) => model),
    ...(suite.methods.length > 0 ? ['--methods', ...suite.methods] : []),
    ...(suite.scores.length > 0 ? ['--scores', ...suite.scores] : []),
    ...(suite.flip ? ['--flip'] : []),
    ...(flags.aligned ? ['--aligned'] : []),
    ...(suite.detector === undefined || flags.aligned ? [] : ['--detector', suite.detector]),
    ...(fmr === undefined ? [] : ['--fmr', String(fmr)]),
    ...(startFnmr === undefined ? [] : ['--start-fnmr', String(startFnmr)]),
    ...(threshold === undefined || startFnmr !== undefined ? [] : ['--threshold', threshold]),
    ...(rejectRates === undefined ? [] : ['--rates', rejectRates.join(',')]),
    ...(paucLimit === undefined ? [] : ['--limit', String(paucLimit)]),
    ...['--folds', String(suite.folds), '--report', flags.report],
  ];
  return words.map((word) => (/\s/.test(word) && !word.startsWith('magface') ? `'${word}'` : word)).join(' ');
}
