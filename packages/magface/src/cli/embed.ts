/** `magface embed`: prints features of faces, or writes them to a file. */

import type { Command } from 'commander';
import { ConfigError } from '../errors.ts';
import type { FeatureWriter } from '../format/feature-writer.ts';
import { expectFileTarget } from '../format/write-target.ts';
import { expectNoRun } from '../runs/journal.ts';
import type { ConfigOf } from '../settings/setting.ts';
import { bigRunSettings, bigRunWords, expectOutputOfRun, isBigRun } from './big-run.ts';
import { type Context, note } from './context.ts';
import type { ExitCode } from './errors.ts';
import { type FaceRow, faceRows } from './face-rows.ts';
import { featuresOf, namesOf } from './named-features.ts';
import {
  configSettings,
  flipSettings,
  formatOf,
  inputSettings,
  inputWords,
  modelSettings,
  outputSettings,
  under,
} from './options.ts';
import { type Column, counted, createRows, partName, printRecord } from './output.ts';
import { printedRow, qualityInCsv, qualityInTable } from './quality-column.ts';
import { runImages } from './run-images.ts';
import { addSettings } from './setting-flags.ts';

const settings = {
  output: {
    group: 'Features:',
    takes: 'text',
    value: '<file>',
    says: 'file to write: .list, .npy, .safetensors or .jsonl',
    otherwise: 'print them',
  },
  ...under('Features:', flipSettings),
  allFaces: {
    group: 'Features:',
    takes: 'boolean',
    value: '',
    says: 'write every face of a photo, not only the largest',
  },
  ...inputSettings,
  ...modelSettings,
  ...bigRunSettings,
  ...configSettings,
  ...outputSettings,
} as const;

type EmbedFlags = ConfigOf<typeof settings>;

const examples = `
Without --output the features are printed: in a terminal as a summary, and into
a pipe as JSON, one line per face. With --output they go to a file, whose
extension selects the format:
  F.list         the official text: a name and its values per line
  F.npy          a float32 matrix (N, D), with the names in F.names.txt
  F.safetensors  tensors "embeddings" (N, D) and "names" (UTF-8, one per line)
  F.jsonl        {"image", "magnitude", "embedding"} per line
If a photo shows several faces, the largest is used. With --all-faces all are
written: the second is named NAME#1, the third NAME#2. Features are not
normalized: their length is the magnitude. If you press Ctrl-C, the results so
far are saved as F.part.EXTENSION.
${bigRunWords}

Examples:
  magface embed photo.jpg
  magface embed photo.jpg | jq .embedding
  magface embed photos/ --output photos.npy
  magface embed --list lfw.txt --aligned --flip --output lfw.list`;

const endings = /\.(list|npy|safetensors|jsonl)$/;

export function defineEmbed(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command
    .description('Print the features of faces, or write them to a file: the largest face of each photo.')
    .argument('[input...]', inputWords);
  addSettings(command, settings).addHelpText('after', examples);
  command.action(async (inputs: string[], flags: EmbedFlags) => {
    expectOutputOfRun(flags);
    if (flags.output !== undefined) return done(await embed(inputs, { ...flags, output: flags.output }, context));
    const isChosen = flags.json === true || command.getOptionValueSource('format') !== 'default';
    const format = isChosen || context.stdout.isTTY === true ? formatOf(flags) : 'jsonl';
    done(await printFeatures(inputs, { ...flags, format }, context));
  });
}

/** A face with its feature. */
interface Embedded extends FaceRow {
  readonly embedding: Float32Array;
}

const shownValues = 4;

const table: readonly Column<Embedded>[] = [
  { title: 'image', value: ({ image }) => image, layout: 'middle' },
  { title: 'face', value: ({ face }) => face, layout: 'right' },
  qualityInTable,
  { title: 'magnitude', value: ({ magnitude }) => magnitude.toFixed(2), layout: 'right' },
  {
    title: 'embedding',
    value: ({ embedding }) =>
      `${[...embedding.subarray(0, shownValues)].map((value) => value.toFixed(3)).join(' ')} … (${embedding.length} values)`,
  },
];

const csv: readonly Column<Embedded>[] = [
  { title: 'image', value: ({ image }) => image },
  { title: 'face', value: ({ face }) => face },
  { title: 'magnitude', value: ({ magnitude }) => magnitude },
  qualityInCsv,
  { title: 'embedding', value: ({ embedding }) => embedding.join(' ') },
];

async function printFeatures(inputs: readonly string[], flags: EmbedFlags, context: Context): Promise<ExitCode> {
  const { allFaces = false, quiet = false, format } = flags;
  const json = ({ image, face, magnitude, quality, embedding }: Embedded) =>
    printedRow({ image, face, magnitude, quality, embedding: [...embedding] });
  const rows = createRows(context.stdout, { format, table, csv, json });
  let faces = 0;
  const { failed } = await runImages(inputs, flags, {
    context,
    start: async () => undefined,
    outcome: async (outcome) => {
      if ('error' in outcome) return;
      const records = faceRows(outcome).flatMap((record) => ('error' in record ? [] : [record]));
      for (const [at, record] of records.slice(0, allFaces ? records.length : 1).entries()) {
        await rows.write({ ...record, embedding: outcome.faces[at]!.embedding });
        faces++;
      }
    },
  });
  await rows.close();
  if (format === 'table' && faces > 0 && !quiet)
    note(context, 'All values: --json, a pipe, or --output FILE (.npy, .list, .safetensors, .jsonl).');
  return failed > 0 ? 1 : 0;
}

async function embed(
  inputs: readonly string[],
  flags: EmbedFlags & { readonly output: string },
  context: Context,
): Promise<ExitCode> {
  const { output, allFaces = false, quiet = false } = flags;
  if (!endings.test(output)) {
    throw new ConfigError('output', {
      expected: 'an output that ends in .list, .npy, .safetensors or .jsonl',
      received: output,
      remedy: 'rename it',
    });
  }
  await expectFileTarget(output);
  if (isBigRun(flags)) return (await import('./embed-big-run.ts')).embedBigRun(inputs, flags, context);
  await expectNoRun(output);
  let writer: FeatureWriter | undefined;
  let dimension = 0;
  let [images, faces] = [0, 0];
  /** @param name - undefined if there is nothing to write: an existing file is kept */
  const close = async (name: string | undefined): Promise<void> => {
    if (name === undefined) await writer?.discard();
    else await writer?.close(name);
    const where = name === undefined ? `nothing written to ${output}` : `features of ${dimension} values, in ${name}`;
    const record = { images, faces, dimension, output: name ?? null };
    const lines = [`${counted(images, 'image')}, ${counted(faces, 'face')}, ${where}`];
    await printRecord(context.stdout, record, { format: formatOf(flags), lines });
  };
  try {
    const { failed } = await runImages(inputs, flags, {
      context,
      found: async (files) => {
        const { expectFeatureNames } = await import('../format/feature-writer.ts');
        expectFeatureNames(output, namesOf(files));
      },
      start: async ({ model }) => {
        dimension = model.contract.embeddingLength;
        writer = await context.services.createFeatureWriter(output, { dimension });
      },
      outcome: async (outcome) => {
        if ('error' in outcome) return;
        images++;
        for (const [name, embedding] of featuresOf(outcome, allFaces)) {
          await writer?.write(name, embedding);
          faces++;
        }
      },
    });
    if (failed > 0 && !quiet) note(context, `${failed} of ${images + failed} images have no feature.`);
    await close(faces === 0 ? undefined : output);
    return failed > 0 ? 1 : 0;
  } catch (error) {
    // A failed run leaves no file; an interrupted run keeps its results under a `.part` name.
    if (!context.signal.aborted) await writer?.discard();
    else if (writer !== undefined) {
      const part = faces === 0 ? undefined : partName(output);
      await close(part);
      if (part !== undefined && !quiet) note(context, `The results so far are in ${part}; ${output} is unchanged.`);
    }
    throw error;
  }
}
