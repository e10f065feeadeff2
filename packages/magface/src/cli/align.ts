/** `magface align`: cuts out and aligns faces for recognisers. */

import { join } from 'node:path';
import type { Command } from 'commander';
import { errorReply } from '../errors.ts';
import { expectFolderTarget } from '../format/write-target.ts';
import { makeFolder } from '../machine/make-folder.ts';
import { faceName, freeName } from '../runs/face-files.ts';
import { expectNoRun } from '../runs/journal.ts';
import type { ConfigOf } from '../settings/setting.ts';
import { bigRunSettings, bigRunWords, isBigRun, openBigRun } from './big-run.ts';
import type { Context } from './context.ts';
import type { ExitCode } from './errors.ts';
import {
  configSettings,
  engineSettings,
  finderSettings,
  formatOf,
  inputSettings,
  inputWords,
  outputSettings,
} from './options.ts';
import { type Column, createRows } from './output.ts';
import { isQueue, runQueue } from './queue-run.ts';
import { asTyped, type Inputs, isPart, runImages } from './run-images.ts';
import { addSettings } from './setting-flags.ts';

/** Far larger than any face in a photo; larger crops would only fill the memory. */
const largestSide = 4096;

const settings = {
  output: {
    group: 'Faces:',
    takes: 'text',
    value: '<dir>',
    says: 'folder for the faces; created if missing',
    required: true,
  },
  size: {
    group: 'Faces:',
    takes: 'count',
    within: [1, largestSide],
    value: '<pixels>',
    says: `width and height of a face, at most ${largestSide}`,
    default: 112,
  },
  ...inputSettings,
  ...finderSettings,
  ...engineSettings,
  ...bigRunSettings,
  ...configSettings,
  ...outputSettings,
} as const;

type AlignFlags = ConfigOf<typeof settings>;

type AlignRecord =
  | { readonly image: string; readonly face: number; readonly output: string }
  | { readonly image: string; readonly error: { readonly code: string; readonly message: string } };

const table: readonly Column<AlignRecord>[] = [
  { title: 'image', value: ({ image }) => image, layout: 'middle' },
  { title: 'face', value: (row) => ('error' in row ? undefined : row.face), layout: 'right' },
  {
    title: 'output',
    value: (row) => ('error' in row ? row.error.code.replaceAll('_', ' ') : row.output),
    layout: 'middle',
  },
];

const examples = `
Example:
  magface align photos/ --output faces/
writes faces/NAME_0.png for the largest face of NAME.jpg, NAME_1.png for the
next. If a name is in use, a number is appended. PNG is lossless.
${bigRunWords}`;

export function defineAlign(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command
    .description('Cut out faces, aligned and scaled as recognisers expect them.')
    .argument('[input...]', inputWords);
  addSettings(command, settings).addHelpText('after', examples);
  command.action(async (inputs: string[], flags: AlignFlags) => done(await align(inputs, flags, context)));
}

async function align(inputs: Inputs, flags: AlignFlags, context: Context): Promise<ExitCode> {
  await expectFolderTarget(flags.output);
  const settings = { size: flags.size };
  const options = { command: 'align', inputs, flags, settings, output: flags.output, env: context.env };
  if (isQueue(options)) return runQueue(options, { context, run: align });
  await using run = isPart(inputs) || isBigRun(flags) ? await openBigRun(options) : undefined;
  if (run === undefined) await expectNoRun(flags.output);
  const folder = run?.output ?? flags.output;
  const rows = createRows(context.stdout, { format: formatOf(flags), table });
  let started = false; // prints nothing if the run cannot begin
  const { savePng, cutFaces } = await imageModules();
  try {
    const { failed } = await runImages(inputs, flags, {
      context,
      ...(run && { choose: run.choose }),
      start: async (recogniser) => {
        await run?.start(recogniser);
        await makeFolder(folder);
        started = true;
      },
      outcome: async (outcome) => {
        const image = outcome.file.name;
        if ('error' in outcome) {
          const { error, file } = outcome;
          await rows.write({ image, error: errorReply(asTyped(error, file)) });
          return run?.finish(outcome, { rows: 0 });
        }
        const faces = await cutFaces(outcome.file.path, outcome.faces, { size: flags.size });
        const created = faces.map((_, face) => freeName(folder, faceName(image, face)));
        await run?.journal.creating(created);
        for (const [face, pixels] of faces.entries()) {
          const file = join(folder, created[face]!);
          await savePng(file, pixels);
          await rows.write({ image, face, output: file });
        }
        await run?.finish(outcome, { rows: created.length, created });
      },
    });
    await run?.journal.end();
    return (run?.journal.totals.failed ?? failed) > 0 ? 1 : 0;
  } finally {
    if (started || context.signal.aborted) await rows.close();
  }
}

/** Loaded when needed. Apart from `align`, because TypeScript leaves an `import()` beside `await using` as it is. */
async function imageModules() {
  const [{ savePng }, { cutFaces }] = await Promise.all([import('./pictures.ts'), import('../infer/node/cut-out.ts')]);
  return { savePng, cutFaces };
}
