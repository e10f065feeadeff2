/** `magface align`: cuts out and aligns faces for recognisers. */

import { existsSync } from 'node:fs';
import { join, parse } from 'node:path';
import type { Command } from 'commander';
import { expectFolderTarget } from '../format/write-target.ts';
import { makeFolder } from '../machine/make-folder.ts';
import type { ConfigOf } from '../settings/setting.ts';
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
import { runImages, sayOf } from './run-images.ts';
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
next. If a name is in use, a number is appended. PNG is lossless.`;

export function defineAlign(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command
    .description('Cut out faces, aligned and scaled as recognisers expect them.')
    .argument('[input...]', inputWords);
  addSettings(command, settings).addHelpText('after', examples);
  command.action(async (inputs: string[], flags: AlignFlags) => done(await align(inputs, flags, context)));
}

async function align(inputs: readonly string[], flags: AlignFlags, context: Context): Promise<ExitCode> {
  const folder = flags.output;
  await expectFolderTarget(folder);
  const rows = createRows(context.stdout, { format: formatOf(flags), table });
  let started = false; // prints nothing if the run cannot begin
  const { savePng } = await import('./pictures.ts');
  const { cutFaces } = await import('../infer/node/cut-out.ts');
  try {
    const { failed } = await runImages(inputs, flags, {
      context,
      start: async () => {
        await makeFolder(folder);
        started = true;
      },
      outcome: async (outcome) => {
        const image = outcome.file.name;
        if ('error' in outcome) {
          const { error, file } = outcome;
          return rows.write({ image, error: { code: error.code, message: sayOf(error, file) } });
        }
        const faces = await cutFaces(outcome.file.path, outcome.faces, { size: flags.size });
        for (const [face, pixels] of faces.entries()) {
          const name = freeName(folder, `${parse(image).name}_${face}`);
          await savePng(join(folder, name), pixels);
          await rows.write({ image, face, output: join(folder, name) });
        }
      },
    });
    return failed > 0 ? 1 : 0;
  } finally {
    if (started || context.signal.aborted) await rows.close();
  }
}

/** Photos of different folders may share a name, and earlier faces are kept. */
function freeName(folder: string, stem: string): string {
  for (let number = 1; ; number++) {
    const name = number === 1 ? `${stem}.png` : `${stem}-${number}.png`;
    if (!existsSync(join(folder, name))) return name;
  }
}
