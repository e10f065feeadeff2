/** `magface quality --output`: rows in a file, by a run that goes on after a kill. */
import type { OpenedMethods } from '../eval/methods/open-methods.ts';
import { expectFileTarget } from '../format/write-target.ts';
import { type BigRunFlags, openBigRun } from './big-run.ts';
import { type Context, note } from './context.ts';
import type { ExitCode } from './errors.ts';
import type { QualityRow } from './face-rows.ts';
import { faceRows, isGoodEnough, openRows } from './face-rows.ts';
import { expectCalibration } from './min-quality.ts';
import { formatOf } from './options.ts';
import { counted, printRecord, type RowWriter } from './output.ts';
import { isQueue, runQueue } from './queue-run.ts';
import { openRowsFile, type RowsFile, rowsFormatOf } from './rows-file.ts';
import { type Inputs, type RunFlags, runImages } from './run-images.ts';
import type { Recogniser } from './services.ts';

export type QualityFileFlags = RunFlags &
  BigRunFlags & {
    readonly output: string;
    readonly minQuality?: number | undefined;
    readonly methods?: readonly string[] | undefined;
  };

/** Opens the methods of `--methods`. */
export async function openMethodsOf(
  methods: readonly string[],
  recogniser: Recogniser,
): Promise<OpenedMethods | undefined> {
  if (methods.length === 0) return undefined;
  const { openMethods } = await import('../eval/methods/open-methods.ts');
  return openMethods(methods, recogniser);
}

export async function qualityFile(inputs: Inputs, flags: QualityFileFlags, context: Context): Promise<ExitCode> {
  const { methods = [], minQuality } = flags;
  const format = rowsFormatOf(flags.output);
  await expectFileTarget(flags.output);
  const settings = { 'min-quality': minQuality, methods, format };
  const options = { command: 'quality', inputs, flags, settings, output: flags.output, env: context.env };
  if (isQueue(options)) return runQueue(options, { context, run: qualityFile });
  await using run = await openBigRun(options);
  const { output, journal } = run;
  let file: RowsFile | undefined;
  let rows: RowWriter<QualityRow> | undefined;
  let opened: OpenedMethods | undefined;
  const before = journal.totals.images;
  try {
    await runImages(inputs, flags, {
      context,
      choose: run.choose,
      start: async (recogniser) => {
        expectCalibration(recogniser.model, minQuality);
        opened = await openMethodsOf(methods, recogniser);
        await run.start(recogniser);
        file = await openRowsFile(output, run);
        rows = openRows(file.stream, { format, methods, begun: file.begun });
      },
      outcome: async (outcome) => {
        const measures = 'error' in outcome ? [] : await opened?.measure(outcome.faces);
        const found = faceRows(outcome, measures).filter((row) => isGoodEnough(row, minQuality));
        for (const row of found) await rows!.write(row);
        await run.finish(outcome, { rows: found.length, lengths: [await file!.flush()] });
      },
    });
    await journal.end();
  } finally {
    await file?.close();
    await opened?.[Symbol.asyncDispose]();
  }
  const { images, failed, rows: written } = journal.totals;
  const lines = [`${counted(images, 'image')}, ${counted(written, 'row')} in ${output}.`];
  if (before > 0) lines.push(`${counted(before, 'image')} of them by earlier runs.`);
  await printRecord(context.stdout, { images, failed, rows: written, output }, { format: formatOf(flags), lines });
  if (failed > 0 && flags.quiet !== true) note(context, `${failed} of ${counted(images, 'image')} failed.`);
  return failed > 0 ? 1 : 0;
}
