/** `magface compare`: same person or not? */
import type { Command } from 'commander';
import { decide, rateTaken, thresholdAt } from '../decision.ts';
import { ImageError } from '../errors.ts';
import type { AnalyzedFace } from '../face.ts';
import { describeLikelihood, type LikelihoodRatio, likelihoodRatio } from '../likelihood-ratio.ts';
import { printedQuality } from '../quality.ts';
import type { ConfigOf } from '../settings/setting.ts';
import { compare as similarityOf } from '../similarity.ts';
import type { Context } from './context.ts';
import type { ExitCode } from './errors.ts';
import type { ImageFile } from './inputs.ts';
import { decisionSettings, formatOf, modelSettings, outputSettings } from './options.ts';
import { printRecord } from './output.ts';
import { loadMagFace, named, noFace, streamOptions } from './run-images.ts';
import type { Recogniser } from './services.ts';
import { addSettings } from './setting-flags.ts';

const settings = {
  ...decisionSettings,
  flip: { takes: 'boolean', value: '', says: 'compare the sums of each face and its mirror image' },
  ...modelSettings,
  ...outputSettings,
} as const;

type CompareFlags = ConfigOf<typeof settings>;

const examples = `
Example:
  magface compare passport.jpg selfie.jpg --json

FMR is the false match rate: how often two different people are taken for the
same person. The threshold is the one measured for this model at the given
rate, or at the next stricter rate. A rate below all measured ones is rejected.
For a model without thresholds only the similarity is printed.

"N times likelier" weighs the similarity by the poorer face's quality: how many
times as often it occurs with two photos of one person as with two people. The
threshold is that of ordinary faces, so a poor face may be below it and yet
likelier the same person: then both are said, and no decision.`;

export function defineCompare(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command
    .description('Decide whether two photos show the same person, by the largest face in each.')
    .argument('<a>', 'first image')
    .argument('<b>', 'another');
  addSettings(command, settings).addHelpText('after', examples);
  command.action(async (a: string, b: string, flags: CompareFlags) => {
    await compare([a, b], flags, context);
    done(0);
  });
}

async function compare(names: readonly [string, string], flags: CompareFlags, context: Context): Promise<void> {
  await using magface = await loadMagFace(flags, context, 2);
  const { thresholds } = magface.model.contract;
  thresholdAt(thresholds, flags.fmr); // an unsupported rate fails before any work
  const files = names.map((name) => ({ name, path: name }));
  const found = await facesOf(magface, files, { flags, context });
  const [a, b] = found.map(([largest]) => largest) as [AnalyzedFace, AnalyzedFace];
  const similarity = similarityOf(a.embedding, b.embedding);
  const { threshold, fmr, same } = decide(similarity, thresholds, flags.fmr);
  const { likelihood: weights } = magface.model.contract;
  const likelihood = weights === undefined ? null : likelihoodRatio(similarity, [a.magnitude, b.magnitude], weights);
  const quality = [printedQuality(a.quality), printedQuality(b.quality)];
  const disagree = likelihood !== null && same !== null && same !== likelihood.ratio >= 1;
  const rule = (of: number, rate: number): string =>
    `${Number(of.toFixed(4))} at a false match rate of ${rateTaken(rate, flags.fmr)}.`;
  const decision =
    threshold === null || fmr === null
      ? `No decision, because ${magface.model.name} has no threshold: measure one with \`magface calibrate --pairs\`.`
      : disagree
        ? `${same ? 'Above' : 'Below'} the threshold of ${rule(threshold, fmr)}`
        : `${same ? 'The same person' : 'Different people'}: threshold ${rule(threshold, fmr)}`;
  const scores = [a, b].map(({ quality, magnitude }, at) => {
    const among = found[at]!.length > 1 ? `, the largest of ${found[at]!.length} faces` : '';
    return `${names[at]}: quality ${quality === undefined ? '-' : Math.round(quality)}, magnitude ${magnitude.toFixed(2)}${among}`;
  });
  const sure = likelihood === null ? [] : likelihoodLines(likelihood, disagree);
  const lines = [`Similarity ${similarity.toFixed(4)}. ${decision}`, ...sure, ...scores];
  const faces = found.map(({ length }) => length);
  const record = { similarity, threshold, fmr, fmrAsked: flags.fmr, same, quality, faces, likelihood };
  await printRecord(context.stdout, record, { format: formatOf(flags), lines });
}

/** The threshold is that of ordinary faces, the likelihood ratio that of faces as poor as these: where they differ, both are said. */
function likelihoodLines(likelihood: LikelihoodRatio, disagree: boolean): string[] {
  const words = describeLikelihood(likelihood);
  if (!disagree) return [`${capital(words)}.`];
  return likelihood.ratio < 1
    ? [`Yet ${words}.`]
    : [`Yet ${words}.`, 'So poor a face is seldom more similar to its own person.'];
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** @returns the faces of each image, at least one, largest first */
async function facesOf(
  magface: Recogniser,
  files: readonly ImageFile[],
  { flags, context }: { readonly flags: CompareFlags; readonly context: Context },
): Promise<(readonly AnalyzedFace[])[]> {
  const found: (readonly AnalyzedFace[])[] = [];
  for await (const { index, error, faces } of magface.stream(
    files.map(({ path }) => path),
    streamOptions(flags, context.signal),
  )) {
    const file = files[index]!;
    if (error instanceof ImageError) throw named(error, file);
    if (error !== undefined) throw error;
    if (faces[0] === undefined) throw noFace(file);
    found.push(faces);
  }
  return found;
}
