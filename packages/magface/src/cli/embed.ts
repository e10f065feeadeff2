/** `magface embed`: features of faces in a file. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { ConfigError } from '../errors.ts';
import type { FeatureWriter } from '../format/feature-writer.ts';
import { type Context, note } from './context.ts';
import type { ExitCode } from './errors.ts';
import { addInputFlags, addModelFlags, addOutputFlags, formatOf, inputWords } from './options.ts';
import { printRecord } from './output.ts';
import { type RunFlags, runImages } from './run-images.ts';

interface EmbedFlags extends RunFlags {
  readonly output: string;
  readonly allFaces?: boolean;
}

const examples = `
By its ending, the output is
  F.list         the official text: a name and its numbers on each line
  F.npy          a float32 matrix (N, D), with the names in F.names.txt
  F.safetensors  tensors "embeddings" (N, D) and "names" (UTF-8, a line each)
  F.jsonl        {"image", "magnitude", "embedding"} on each line
Of several faces in a photo the largest is taken, unless --all-faces: then the
second is named NAME#1, the third NAME#2. Features are not normalized: their
length is the magnitude.

Examples:
  magface embed photos/ --output photos.npy
  magface embed --list lfw.txt --aligned --flip --output lfw.list`;

const endings = /\.(list|npy|safetensors|jsonl)$/;

export function defineEmbed(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command
    .description('Write the features of faces to a file: one face a photo, the largest.')
    .argument('[input...]', inputWords)
    .optionsGroup('Features:')
    .requiredOption('--output <file>', 'where to: .list, .npy, .safetensors or .jsonl')
    .option('--flip', 'add the feature of the mirrored face (flip-sum)')
    .option('--all-faces', 'every face of a photo, not its largest alone');
  addOutputFlags(addModelFlags(addInputFlags(command), { aligned: true })).addHelpText('after', examples);
  command.action(async (inputs: string[], flags: EmbedFlags) => done(await embed(inputs, flags, context)));
}

async function embed(inputs: readonly string[], flags: EmbedFlags, context: Context): Promise<ExitCode> {
  const { output, allFaces = false, quiet = false } = flags;
  if (!endings.test(output)) {
    const message = `Expected an output that ends in .list, .npy, .safetensors or .jsonl but received ${output}: rename it.`;
    throw new ConfigError('output', message);
  }
  let writer: FeatureWriter | undefined;
  let dimension = 0;
  let images = 0;
  const close = async (): Promise<void> => {
    await writer?.close();
    const lines = [`${images} images, features of ${dimension} numbers, in ${output}`];
    await printRecord(context.stdout, { images, dimension, output }, { format: formatOf(flags), lines });
  };
  try {
    const { failed } = await runImages(inputs, flags, {
      context,
      start: async ({ model }) => {
        dimension = model.contract.embeddingLength;
        writer = await context.services.createFeatureWriter(resolve(context.cwd, output), { dimension });
      },
      outcome: async (outcome) => {
        if ('error' in outcome) return;
        images++;
        const faces = allFaces ? outcome.faces : outcome.faces.slice(0, 1);
        for (const [at, { embedding }] of faces.entries())
          await writer?.write(at === 0 ? outcome.file.name : `${outcome.file.name}#${at}`, embedding);
      },
    });
    if (failed > 0 && !quiet) note(context, `${failed} of ${images + failed} images gave no feature.`);
    await close();
    return failed > 0 ? 1 : 0;
  } catch (error) {
    // An interrupted run keeps what it has; a failed one leaves nothing that looks whole.
    if (!context.signal.aborted) await writer?.discard();
    else if (writer !== undefined) await close();
    throw error;
  }
}
