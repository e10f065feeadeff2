/** `magface fit-quality`: gives a recogniser a branch that computes the length of its features. */
import type { Command } from 'commander';
import { ConfigError } from '../errors.ts';
import { writeWhole } from '../format/file-writer.ts';
import { expectFileTarget } from '../format/write-target.ts';
import type { LoadedModel } from '../models/load-model.ts';
import type { ConfigOf } from '../settings/setting.ts';
import type { FittedLength } from '../train/length/fit-length.ts';
import { type Context, note } from './context.ts';
import type { ExitCode } from './errors.ts';
import { formatOf, outputSettings } from './options.ts';
import { printRecord } from './output.ts';
import { startProgress } from './progress.ts';
import { downloadNotes } from './run-images.ts';
import { addSettings } from './setting-flags.ts';
import { asTrainingError } from './training-error.ts';

const settings = {
  model: {
    group: 'Branch:',
    takes: 'text',
    value: '<model>',
    says: 'recogniser: a path, an id in the list, https: or npm:NAME@VERSION/PATH',
    required: true,
  },
  trainList: {
    group: 'Branch:',
    takes: 'texts',
    value: '<sources...>',
    says: 'aligned faces by person: folders, lists, .rec files or shards',
    required: true,
  },
  root: { group: 'Branch:', takes: 'text', value: '<dir>', says: 'folder that paths in the list are relative to' },
  output: { group: 'Branch:', takes: 'text', value: '<file.onnx>', says: 'the model with its branch', required: true },
  perPerson: {
    group: 'Branch:',
    takes: 'count',
    value: '<n>',
    says: 'use the first n faces of each person',
    default: 32,
  },
  taps: {
    group: 'Branch:',
    takes: 'texts',
    value: '<names...>',
    says: 'feature maps that the branch reads, by their names in the graph',
    otherwise: 'up to 16 results of the network’s blocks, and its last map',
  },
  ridge: {
    group: 'Branch:',
    takes: 'positive',
    value: '<x>',
    says: 'penalty on the weights of the maps, relative to their fit',
    default: 0.1,
  },
  offline: { group: 'Branch:', takes: 'boolean', value: '', says: 'use cached models only' },
  ...outputSettings,
} as const;

type Flags = ConfigOf<typeof settings>;

const examples = `
The branch is linear: it adds up pooled feature maps of the network and the
length that the feature had, and is fitted in closed form to how recognisable
each face is. It changes no direction, so similarities of faces stay as they
are. The faces must be aligned, with two or more of each person. People whom the
model was not trained on teach it more, because it recognises those of its
training too well. Fit the scale anew afterwards, on others.

Example:
  magface fit-quality --model my.onnx --train-list faces/ --output q.onnx
  magface calibrate --model q.onnx --faces ordinary.list --aligned \\
      --output q.onnx`;

export function defineFitQuality(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command.description(
    'Give a model a linear branch that computes the length of its features, to predict recognisability.',
  );
  addSettings(command, settings)
    .addHelpText('after', examples)
    .action(async (flags: Flags) => {
      expectFlags(flags);
      await expectFileTarget(flags.output);
      const fitted = await fit(flags, context);
      await writeWhole(flags.output, fitted.bytes);
      if (flags.quiet !== true) note(context, `Wrote ${flags.output}. Its scale is gone: run \`magface calibrate\`.`);
      const { bytes: _, ...record } = fitted;
      await printRecord(context.stdout, record, { format: formatOf(flags), lines: linesOf(fitted) });
      done(0);
    });
}

function expectFlags({ output }: Flags): void {
  if (!output.endsWith('.onnx'))
    throw new ConfigError('output', {
      expected: 'an output that ends in .onnx',
      received: output,
      remedy: 'rename it',
    });
}

async function fit(flags: Flags, context: Context): Promise<FittedLength> {
  const { env, services, signal, stderr } = context;
  const { offline, trainList, root, perPerson, taps, ridge, quiet = false } = flags;
  const onProgress = downloadNotes(flags, context);
  const fetching = { cacheDir: env['MAGFACE_CACHE'], offline, signal, onProgress, kind: 'recogniser' } as const;
  const model = (await services.loadModel(flags.model, fetching)) as LoadedModel<'recogniser'>;
  let progress: ReturnType<typeof startProgress> | undefined;
  try {
    const { fitLength } = await import('../train/length/fit-length.ts');
    const { readDatasets } = await import('../train/data/dataset.ts');
    return await fitLength(model, {
      dataset: readDatasets(trainList, { root }),
      perPerson,
      taps,
      ridge,
      signal,
      onProgress: (done, total) => {
        progress ??= startProgress(stderr, { total, unit: 'faces', quiet });
        progress.update(done);
      },
    });
  } catch (error) {
    throw asTrainingError(error);
  } finally {
    progress?.stop();
  }
}

function linesOf({ faces, people, taps, limits, order }: FittedLength): string[] {
  const maps = `${taps.length} ${taps.length === 1 ? 'map' : 'maps'} (${taps.join(', ')})`;
  return [
    `${faces} faces of ${people} people; the branch reads ${maps}; lengths from ${limits.map((end) => end.toFixed(2)).join(' to ')}`,
    `rank correlation with recognisability: ${order.before.toFixed(3)} before, ${order.after.toFixed(3)} after`,
  ];
}
