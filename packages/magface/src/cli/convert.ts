/** `magface convert`: converts weights, models and training sets by their file extensions. */
import { extname } from 'node:path';

import type { Command } from 'commander';
import { ConfigError } from '../errors.ts';
import { expectFileTarget } from '../format/write-target.ts';
import type { ConfigOf } from '../settings/setting.ts';
import type { Context } from './context.ts';
import { type ConvertedModel, conversionSettings, convertModel } from './convert-model.ts';
import type { ExitCode } from './errors.ts';
import { formatOf, outputSettings } from './options.ts';
import { printRecord } from './output.ts';
import { addSettings } from './setting-flags.ts';

const settings = {
  ...conversionSettings,
  optimizer: {
    group: 'To .pth and .tar:',
    takes: 'boolean',
    value: '',
    says: 'omit the optimizer state from a .pth',
    default: true,
  },
  shardSize: { group: 'To .pth and .tar:', takes: 'count', value: '<n>', says: 'images per .tar', otherwise: 'all' },
  ...outputSettings,
} as const;

type ConvertFlags = ConfigOf<typeof settings>;

type Converted = { readonly tensors: number } | ConvertedData | ConvertedModel;

const examples = `
The file extensions decide:
  .pth .pt .ckpt .safetensors   to .safetensors or .pth; a backbone of a known
                                architecture also to .onnx. Code in a pickle is
                                never run
  .onnx                         to .onnx as fp16 or int8, with its record, and
                                with a dynamic batch size if the graph allows it
  train.rec, tar shards, a      to each other. A folder gets a train.list,
  folder per person,            train.rec a train.idx. Images are copied
  train.list                    unchanged
  .bin, a folder with pairs     to each other: verification sets
  features: .list .npy          to each other, block by block
  .safetensors .jsonl

int8 is calibrated on about 100 ordinary aligned faces (see magface align). Do
not use the faces that you measure accuracy on. Convolutions and matrix products
become integer, per channel; PRelu and all others stay float. fp16 keeps inputs
and outputs in float32.

--describe takes JSON or YAML, for a model without a record. It says how pixels
become the input, value = (pixel - mean) * scale:
  {"input": {"width": 112, "height": 112, "channelOrder": "RGB",
             "mean": [127.5, 127.5, 127.5],
             "scale": [0.0078125, 0.0078125, 0.0078125]},
   "licence": {"spdx": "MIT", "notice": "Trained on our own photos."}}

Examples:
  magface convert magface_iresnet50.pth magface.onnx
  magface convert run/00025-0000000.safetensors official.pth
  magface convert magface.onnx small.onnx --dtype int8 --faces aligned/
  magface convert foreign.onnx known.onnx --describe record.json
  magface convert 'shards-{000..012}.tar' train.rec
  magface convert train.rec faces/`;

export function defineConvert(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command
    .description('Convert weights, models, training sets, verification sets or features, by file extension.')
    .argument('<in>', 'file or folder to convert')
    .argument('<out>', 'file or folder to write');
  addSettings(command, settings).addHelpText('after', examples);
  command.action(async (input: string, output: string, flags: ConvertFlags) => {
    const converted = await convert(input, output, { flags, context });
    const what = countOf(converted);
    const lines = [
      `${what} in ${output}${'batch' in converted ? ` (${converted.dtype}, batch ${converted.batch})` : ''}`,
    ];
    await printRecord(context.stdout, { input, output, ...converted }, { format: formatOf(flags), lines });
    done(0);
  });
}

const weightEndings = ['.pth', '.ckpt', '.pt', '.safetensors'];

async function convert(
  input: string,
  output: string,
  { flags, context }: { readonly flags: ConvertFlags; readonly context: Context },
): Promise<Converted> {
  const isWeights = weightEndings.includes(extname(input).toLowerCase());
  if (extname(output).toLowerCase() === '.onnx') {
    await expectFileTarget(output);
    return convertModel({ from: input, to: output, isWeights, flags, context });
  }
  expectNoModelFlags(flags, output);
  if (isWeights && !isFeatures(input, output)) {
    const { convertTensors } = await import('../format/convert-tensors.ts');
    return { tensors: await convertTensors(input, output, { optimizer: flags.optimizer }) };
  }
  if (extname(input).toLowerCase() === '.onnx') {
    throw new ConfigError('output', {
      expected: 'an output that ends in .onnx for a model',
      received: output,
      remedy: 'rename it',
    });
  }
  return convertData(input, output, flags.shardSize);
}

function countOf(converted: Converted): string {
  if ('tensors' in converted) return `${converted.tensors} tensors`;
  if ('pairs' in converted) return `${converted.pairs} pairs`;
  return 'images' in converted ? `${converted.images} images` : `${converted.features} features`;
}

function expectNoModelFlags(flags: ConvertFlags, output: string): void {
  const given = (['faces', 'describe', 'arch'] as const).find((key) => flags[key] !== undefined);
  const key = given ?? (flags.dtype === 'fp32' ? undefined : 'dtype');
  if (key === undefined) return;
  throw new ConfigError(key, {
    expected: `--${key} with an output that ends in .onnx`,
    received: output,
    remedy: 'leave it out',
  });
}

type ConvertedData = { readonly images: number } | { readonly features: number } | { readonly pairs: number };

const [featureEndings, onlyFeatures] = [
  ['.list', '.npy', '.jsonl', '.safetensors'],
  ['.npy', '.jsonl'],
];

/** Whether these are features: `.safetensors` may also hold weights, so the other name decides. */
const isFeatures = (from: string, to: string): boolean =>
  [from, to].every((name) => featureEndings.includes(extname(name))) &&
  [from, to].some((name) => extname(name) !== '.safetensors');

/** By extension: features, a verification set, or a training set. */
async function convertData(from: string, to: string, shardSize?: number): Promise<ConvertedData> {
  if (isFeatures(from, to) || onlyFeatures.includes(extname(from))) {
    return { features: await (await import('../format/convert-features.ts')).convertFeatures(from, to) };
  }
  if ([from, to].some((name) => extname(name) === '.bin')) {
    return { pairs: await (await import('../eval/convert-face-set.ts')).convertFaceSet(from, to) };
  }
  return { images: await (await import('../train/data/convert-faces.ts')).convertFaces(from, to, { shardSize }) };
}
