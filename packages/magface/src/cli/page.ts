/** `magface page`: writes the static page. */

import type { Command } from 'commander';
import { expectFolderTarget } from '../format/write-target.ts';
import type { ConfigOf } from '../settings/setting.ts';
import { type Context, note } from './context.ts';
import type { ExitCode } from './errors.ts';
import { formatOf, offlineSettings, outputSettings } from './options.ts';
import { printRecord } from './output.ts';
import { downloadNotes } from './run-images.ts';
import { addSettings } from './setting-flags.ts';

const settings = {
  output: { takes: 'text', value: '<dir>', says: 'folder to write; created if missing', required: true },
  model: {
    takes: 'text',
    value: '<model>',
    says: 'recogniser: a path, an id, https: or npm:',
    default: 'magface-small',
  },
  detector: { takes: 'text', value: '<model>', says: 'face detector', default: 'yunet' },
  modelsOnly: { takes: 'boolean', value: '', says: 'write only the folder models/' },
  ...offlineSettings,
  ...outputSettings,
} as const;

type PageFlags = ConfigOf<typeof settings>;

const examples = `
Examples:
  magface page --output public
  magface page --output public --model my.onnx --detector blazeface
  magface page --output app/public --models-only    for your own page

Serve the folder with any web server, over https or from localhost. If the
server sends the headers listed in docs/browser.md, the networks use threads
from the first visit on, otherwise from the second.`;

export function definePage(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command.description('Write the page and its models to a folder for any web server.');
  addSettings(command, settings).addHelpText('after', examples);
  command.action(async (flags: PageFlags) => {
    await write(flags, context);
    done(0);
  });
}

async function write(flags: PageFlags, context: Context): Promise<void> {
  const { offline, quiet, modelsOnly } = flags;
  await expectFolderTarget(flags.output);
  const options = {
    cacheDir: context.env['MAGFACE_CACHE'],
    offline,
    onProgress: downloadNotes(flags, context),
    signal: context.signal,
  };
  const { defaultModels } = await import('../infer/node/magface.ts');
  const models = [
    await context.services.loadModel(flags.model, { ...options, kind: 'recogniser' }),
    await context.services.loadModel(flags.detector, { ...options, kind: 'detector' }),
    await context.services.loadModel(defaultModels.aligner, { ...options, kind: 'aligner' }),
  ];
  if (quiet !== true) for (const { assumed } of models) for (const line of assumed) note(context, line);
  const { writePage } = await import('../hosting/write-page.ts');
  const bytes = await writePage(flags.output, models, { modelsOnly });
  const record = { output: flags.output, models: models.map(({ name }) => name), bytes };
  const what = modelsOnly === true ? 'models' : 'page';
  const line = `Wrote the ${what} to ${flags.output} (models: ${(bytes / 1e6).toFixed(1)} MB).`;
  await printRecord(context.stdout, record, { format: formatOf(flags), lines: [line] });
}
