/** `magface quality`: detects, aligns, embeds and scores all faces. */
import { constants } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join, parse } from 'node:path';
import type { Command } from 'commander';
import { ConfigError } from '../errors.ts';
import type { OpenedMethods } from '../eval/methods/open-methods.ts';
import { expectFileTarget, expectFolderTarget } from '../format/write-target.ts';
import { makeFolder } from '../machine/make-folder.ts';
import type { ConfigOf } from '../settings/setting.ts';
import { bigRunSettings, bigRunWords, expectOutputOfRun } from './big-run.ts';
import { type Context, note } from './context.ts';
import type { ExitCode } from './errors.ts';
import { faceRows, isGoodEnough, openRows, type QualityRow } from './face-rows.ts';
import { expectCalibration } from './min-quality.ts';
import { configSettings, formatOf, inputSettings, inputWords, modelSettings, outputSettings } from './options.ts';
import { openMethodsOf, qualityFile } from './quality-file.ts';
import { createReport } from './report-file.ts';
import { runImages } from './run-images.ts';
import { addSettings } from './setting-flags.ts';

/** A row with its image's path, since two lists may use one name for two images. */
interface Found {
  readonly row: QualityRow;
  readonly path: string;
}

const settings = {
  minQuality: {
    group: 'Choosing:',
    takes: 'amount',
    within: [0, 100],
    value: '<q>',
    says: 'show only faces of at least this quality, 0 to 100',
  },
  best: {
    group: 'Choosing:',
    takes: 'count',
    value: '<n>',
    says: 'show only the n best faces of all images, best first',
  },
  copyTo: {
    group: 'Choosing:',
    takes: 'text',
    value: '<dir>',
    says: 'copy the images of these faces to a folder, without overwriting',
  },
  methods: {
    group: 'Choosing:',
    takes: 'texts',
    value: '<method...>',
    says: 'further quality methods, a column each: see `magface lab --help`',
  },
  report: {
    group: 'Choosing:',
    takes: 'text',
    value: '<file.html>',
    says: 'write a page with photos, faces and charts',
  },
  ...inputSettings,
  ...modelSettings,
  ...bigRunSettings,
  ...configSettings,
  ...outputSettings,
  output: {
    group: 'Output:',
    takes: 'text',
    value: '<file>',
    says: 'write the rows to a file, .jsonl or .csv, as they come',
  },
} as const;

type QualityFlags = ConfigOf<typeof settings>;

const examples = `
Examples:
  magface quality photos/ --report report.html
  magface quality photos/ --best 1 --copy-to best/
  find . -name '*.jpg' | magface quality - --json > faces.json
  magface quality photos/ --output faces.jsonl --resume

Quality ranges from 0 to 100 and is computed from the magnitude, the length of
the face’s feature. 50 is an ordinary face; above it, quality is about the
percentile among ordinary faces. Of the default model, a face of quality 10
fails half of its comparisons with ordinary faces of the same person (at a
false match rate of 0.001). Filters and sorting use the value
before rounding.
${bigRunWords}`;

export function defineQuality(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command
    .description('Find, align, embed and score all faces: one row per face, with visible defects.')
    .argument('[input...]', inputWords);
  addSettings(command, settings).addHelpText('after', examples);
  command.action(async (inputs: string[], flags: QualityFlags) => {
    const { output } = flags;
    expectFitting(flags);
    done(
      await (output === undefined
        ? quality(inputs, flags, context)
        : qualityFile(inputs, { ...flags, output }, context)),
    );
  });
}

/** @throws {ConfigError} if flags of one run are mixed with those of a run in parts */
function expectFitting(flags: QualityFlags): void {
  const { output, best, copyTo, report } = flags;
  expectOutputOfRun(flags);
  const whole = [
    best === undefined ? [] : '--best',
    copyTo === undefined ? [] : '--copy-to',
    report ? '--report' : [],
  ].flat();
  if (output !== undefined && whole.length > 0)
    throw new ConfigError('output', {
      expected: `--output without ${whole[0]}, which needs all faces at once`,
      remedy: 'leave one out, or write `--format jsonl > FILE`',
    });
}

async function quality(inputs: readonly string[], flags: QualityFlags, context: Context): Promise<ExitCode> {
  await expectFileTarget(flags.report, 'report');
  await expectFolderTarget(flags.copyTo, 'copy-to');
  const { methods = [] } = flags;
  let opened: OpenedMethods | undefined;
  const rows = openRows(context.stdout, { format: formatOf(flags), methods });
  const report = flags.report === undefined ? undefined : createReport(flags.report, context);
  const chosen = new Set<string>(); // paths of the images to copy
  let ranked: Found[] = [];
  let started = false; // prints nothing if the run cannot begin
  const show = async ({ row, path }: Found): Promise<void> => {
    if (!('error' in row)) chosen.add(path);
    await rows.write(row);
  };
  try {
    const { failed } = await runImages(inputs, flags, {
      context,
      start: async (recogniser) => {
        expectCalibration(recogniser.model, flags.minQuality);
        if (recogniser.model.contract.calibration === undefined && flags.quiet !== true)
          note(
            context,
            `${recogniser.model.name} has no quality scale, so only magnitudes are shown: fit one with \`magface calibrate\`.`,
          );
        opened = await openMethodsOf(methods, recogniser);
        report?.start(recogniser);
        started = true;
      },
      outcome: async (outcome) => {
        await report?.add(outcome);
        const measures = 'error' in outcome ? [] : await opened?.measure(outcome.faces);
        const found = faceRows(outcome, measures)
          .filter((row) => isGoodEnough(row, flags.minQuality))
          .map((row) => ({ row, path: outcome.file.path }));
        if (flags.best === undefined) for (const one of found) await show(one);
        else ranked = bestOf([...ranked, ...found], flags.best);
      },
    });
    return failed > 0 ? 1 : 0;
  } finally {
    // An interrupted run prints its results.
    for (const one of ranked) await show(one);
    if (started || context.signal.aborted) await rows.close();
    await opened?.[Symbol.asyncDispose]();
    await report?.close();
    if (report !== undefined && started && flags.quiet !== true)
      note(context, `Report: ${flags.report}. Open it in a browser.`);
    if (flags.copyTo !== undefined && started) await copyImages([...chosen], flags.copyTo, context);
  }
}

/** The n best by magnitude, which has the order of quality but is finer; failures come last. */
function bestOf(rows: readonly Found[], n: number): Found[] {
  const faces = rows.flatMap(({ row, path }) => ('error' in row ? [] : [{ row, path }]));
  const best = faces.sort((a, b) => b.row.magnitude - a.row.magnitude).slice(0, n);
  return [...best, ...rows.filter(({ row }) => 'error' in row)];
}

/** Appends a number to a name in use, also from earlier runs: `a.jpg`, `a-2.jpg`. Skips addresses. */
async function copyImages(paths: readonly string[], folder: string, context: Pick<Context, 'stderr'>): Promise<void> {
  await makeFolder(folder);
  for (const path of paths) {
    if (/^https?:/i.test(path)) note(context, `Not copied, because it is not a file: ${path}`);
    else await copyNumbered(path, folder);
  }
}

async function copyNumbered(path: string, folder: string): Promise<void> {
  const { name, ext } = parse(path);
  for (let number = 1; ; number++) {
    const free = join(folder, number === 1 ? name + ext : `${name}-${number}${ext}`);
    try {
      return await copyFile(path, free, constants.COPYFILE_EXCL);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}
