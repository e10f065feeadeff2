/** `magface embed --resume` and `--shard`: features of a run that goes on after a kill. */
import { ConfigError } from '../errors.ts';
import { expectFeatureNames, openFeatureWriter, type ResumableFeatureWriter } from '../format/feature-writer.ts';
import { openBigRun } from './big-run.ts';
import { type Context, note } from './context.ts';
import type { ExitCode } from './errors.ts';
import type { ImageFile } from './inputs.ts';
import { type EmbedFlags, featuresOf, namesOf } from './named-features.ts';
import { formatOf } from './options.ts';
import { counted, printRecord } from './output.ts';
import { isQueue, runQueue } from './queue-run.ts';
import { type Inputs, runImages } from './run-images.ts';

/** The file appears when it is complete; until then it grows in the journal's folder. */
export async function embedBigRun(
  inputs: Inputs,
  flags: EmbedFlags & { readonly output: string },
  context: Context,
): Promise<ExitCode> {
  const { allFaces = false } = flags;
  const found = (files: readonly ImageFile[]): void => expectFeatureNames(flags.output, namesOf(files));
  const settings = { 'all-faces': allFaces };
  const options = { command: 'embed', inputs, flags, settings, output: flags.output, env: context.env };
  if (isQueue(options)) return runQueue(options, { context, found, run: embedBigRun });
  await using run = await openBigRun(options);
  const { output, journal } = run;
  let writer: ResumableFeatureWriter | undefined;
  const before = journal.totals.images;
  try {
    await runImages(inputs, flags, {
      context,
      found,
      choose: (files) => {
        const chosen = run.choose(files);
        if (journal.complete && chosen.length > 0) throw grown(output, chosen.length);
        return chosen;
      },
      start: async (recogniser) => {
        await run.start(recogniser);
        writer = await openFeatureWriter(output, {
          dimension: recogniser.model.contract.embeddingLength,
          rows: journal.totals.rows,
          open: (file) => run.open(file, 'aside'),
        });
      },
      outcome: async (outcome) => {
        const features = featuresOf(outcome, allFaces);
        for (const [name, embedding] of features) await writer!.write(name, embedding);
        await run.finish(outcome, { rows: features.length, lengths: await writer!.flush() });
      },
    });
    await writer?.close();
    await journal.end();
  } catch (error) {
    await writer?.discard(); // only closes it: the next run goes on
    throw error;
  }
  const { images, failed, rows } = journal.totals;
  const lines = [`${counted(images, 'image')}, ${counted(rows, 'face')}, in ${output}`];
  if (before > 0) lines.push(`${counted(before, 'image')} of them by earlier runs.`);
  await printRecord(context.stdout, { images, failed, faces: rows, output }, { format: formatOf(flags), lines });
  if (failed > 0 && flags.quiet !== true) note(context, `${failed} of ${counted(images, 'image')} have no feature.`);
  return failed > 0 ? 1 : 0;
}

function grown(output: string, count: number): ConfigError {
  return new ConfigError('output', {
    expected: `the images of the finished run of ${output}`,
    problem: `${counted(count, 'image')} are new`,
    remedy: 'embed them into another file',
  });
}
