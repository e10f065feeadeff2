/** `magface average`: the mean of models that were finetuned from one model. */
import type { Command } from 'commander';
import { averageModels } from '../convert/average-models.ts';
import { writeWhole } from '../format/file-writer.ts';
import { expectFileTarget } from '../format/write-target.ts';
import type { LoadedModel } from '../models/load-model.ts';
import type { ConfigOf } from '../settings/setting.ts';
import { type Context, note } from './context.ts';
import type { ExitCode } from './errors.ts';
import { formatOf, outputSettings } from './options.ts';
import { printRecord } from './output.ts';
import { downloadNotes } from './run-images.ts';
import { addSettings } from './setting-flags.ts';

const settings = {
  output: { takes: 'text', value: '<file.onnx>', says: 'the averaged model', required: true },
  shares: {
    takes: 'positives',
    value: '<x...>',
    says: 'how much each model counts, relative to the others',
    otherwise: 'all the same',
  },
  offline: { takes: 'boolean', value: '', says: 'use cached models only' },
  ...outputSettings,
} as const;

type Flags = ConfigOf<typeof settings>;

const examples = `
The models must have one graph, as those have that were finetuned from the same
model, which may be among them. Two or three runs with different seeds are often
better together than each alone, and a share of the initial model keeps more of
what it knew. Fit scale and thresholds anew afterwards.

Example:
  magface average run1/model.onnx run2/model.onnx start.onnx --shares 2 2 1 \\
      --output mean.onnx
  magface calibrate --model mean.onnx --faces ordinary.list --aligned \\
      --output mean.onnx`;

export function defineAverage(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command
    .description('Average the weights of models that were finetuned from one model.')
    .argument('<model...>', 'recognisers: paths, ids in the list, https: or npm:NAME@VERSION/PATH');
  addSettings(command, settings).addHelpText('after', examples);
  command.action(async (names: string[], flags: Flags) => done(await average(names, flags, context)));
}

async function average(names: readonly string[], flags: Flags, context: Context): Promise<ExitCode> {
  const { env, services, signal, stdout } = context;
  const { output, offline, shares } = flags;
  await expectFileTarget(output);
  const fetching = { cacheDir: env['MAGFACE_CACHE'], offline, signal, onProgress: downloadNotes(flags, context) };
  const models: LoadedModel<'recogniser'>[] = [];
  for (const name of names) {
    models.push((await services.loadModel(name, { ...fetching, kind: 'recogniser' })) as LoadedModel<'recogniser'>);
  }
  await writeWhole(output, averageModels(models, shares));
  if (flags.quiet !== true) note(context, `Wrote ${output}. Its scale is gone: run \`magface calibrate\`.`);
  const lines = [`the mean of ${names.join(', ')}`];
  await printRecord(stdout, { models: names, shares: shares ?? null, output }, { format: formatOf(flags), lines });
  return 0;
}
