/** How the numbers of a laboratory page were made: the command with all defaults, and digests of all that it read. */
import { createHash } from 'node:crypto';
import { methodEntries } from '../../eval/methods/open-methods.ts';
import { openFaceSet } from '../../eval/open-face-set.ts';
import type { Provenance } from '../../report/ranking-section.ts';
import type { Context } from '../context.ts';
import type { Suite } from '../evaluate/suite-config.ts';
import type { SuiteResult } from '../evaluate/suite-files.ts';
import { readVersion } from '../version.ts';
import type { LabFlags } from './flags.ts';

/** What was given. */
export interface Told {
  readonly suiteFile: string | undefined;
  readonly flags: LabFlags;
  readonly context: Context;
}

/** Names the command with all that it left to defaults, and what it read, by digest. */
export async function provenanceOf(suite: Suite, { sets }: SuiteResult, told: Told): Promise<Provenance> {
  const { flags, context, suiteFile } = told;
  const fetching = { cacheDir: context.env['MAGFACE_CACHE'], offline: flags.offline, kind: 'recogniser' } as const;
  const parts: (readonly [string, string])[] = [['magface', readVersion()]];
  for (const { name, model } of suite.models) {
    const { digest } = await context.services.loadModel(model, fetching);
    parts.push([`model ${name}`, `SHA-256 ${digest}`]);
  }
  for (const [i, { set: source, pairs, images, protocol }] of suite.sets.entries()) {
    const set = await openFaceSet(source, { pairs, images, protocol, folds: suite.folds });
    const digest = createHash('sha256');
    for (const image of set.images) digest.update(`${image.name} ${image.digest}\n`);
    const pairsDigest = createHash('sha256').update(set.pairs.left).update(set.pairs.right).update(set.pairs.same);
    const counts = `${set.images.length} images, ${set.pairs.same.length} pairs`;
    const title = sets[i]?.name ?? set.name;
    parts.push([`set ${title}`, `${counts}; images ${digest.digest('hex')}, pairs ${pairsDigest.digest('hex')}`]);
    await set.close();
  }
  const of = (name: string): string =>
    name in methodEntries ? methodEntries[name as keyof typeof methodEntries].what : 'magnitude of that recogniser';
  const measures = Object.fromEntries(['magnitude', ...suite.methods].map((name) => [name, of(name)]));
  for (const file of suite.scores) measures[file] = 'scores from this file';
  return { command: commandOf(suite, suiteFile, flags), parts, measures };
}

function commandOf(suite: Suite, suiteFile: string | undefined, flags: LabFlags): string {
  const { fmr, threshold, paucLimit } = suite.reject;
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
    ...(fmr === undefined ? [] : ['--fmr', String(fmr)]),
    ...(threshold === undefined ? [] : ['--threshold', threshold]),
    ...(paucLimit === undefined ? [] : ['--limit', String(paucLimit)]),
    ...['--folds', String(suite.folds), '--report', flags.report],
  ];
  return words.map((word) => (/\s/.test(word) && !word.startsWith('magface') ? `'${word}'` : word)).join(' ');
}
