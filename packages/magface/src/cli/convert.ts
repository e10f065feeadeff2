/** `magface convert`: converts weights, models and training sets by their file extensions. */
import { extname, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { ConfigError } from '../errors.ts';
import type { Context } from './context.ts';
import { type ConvertedData, convertData, isFeatures } from './convert-data.ts';
import { type ConvertedModel, convertModel, type ModelConversionFlags } from './convert-model.ts';
import type { ExitCode } from './errors.ts';
import { addOutputFlags, count, formatOf, type OutputFlags } from './options.ts';
import { printRecord } from './output.ts';
import { expectTargets } from './targets.ts';

interface ConvertFlags extends OutputFlags, ModelConversionFlags {
  readonly optimizer?: boolean;
  readonly shardSize?: number;
}

type Converted = { readonly tensors: number } | ConvertedData | ConvertedModel;

const examples = `
By the endings of the names:
  .pth .pt .ckpt .safetensors   to .safetensors or .pth, and a backbone of a
                                known arch to .onnx; nothing of a pickle is run
  .onnx                         to .onnx: fp16 or int8, with its record
                                attached, a batch of one freed where the graph
                                allows it
  train.rec, tar shards, a      to each other: a folder gets train.list,
  folder a person, train.list   train.rec its train.idx; images are copied as
                                they are
  .bin, a folder with pairs     to each other: verification sets
  features: .list .npy          to each other, a block of rows in memory
  .safetensors .jsonl

int8 is calibrated on faces: 100 ordinary aligned ones (magface align makes
them), not those that accuracy is measured on. Layers that do the work become
integer, per channel; PRelu and the rest stay float. fp16 keeps inputs and
outputs float32.

--describe takes JSON or YAML, for a model that does not say how it wants
pixels, where input value = (pixel - mean) * scale:
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
    .description('Convert weights, a model or a training set, by the endings of the names.')
    .argument('<in>', 'what to convert')
    .argument('<out>', 'where to')
    .optionsGroup('To .onnx:')
    .addOption(new Option('--dtype <type>', 'type of the weights').choices(['fp32', 'fp16', 'int8']).default('fp32'))
    .option('--faces <dir>', 'aligned faces to calibrate int8 on: a folder, a glob or a list')
    .option('--samples <n>', 'most faces to calibrate on, spread over those given', count, 100)
    .option('--describe <file>', 'record of a model that carries none, or corrections to it')
    .option(
      '--arch <name>',
      'network of a .pth or .safetensors, by name or by the file of your own (default: the one that its tensors fit)',
    )
    .optionsGroup('To .pth and .tar:')
    .option('--no-optimizer', 'leave the state of the optimizer out of a .pth')
    .option('--shard-size <n>', 'images in one .tar (default: all)', count);
  addOutputFlags(command).addHelpText('after', examples);
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
  const [from, to] = [resolve(context.cwd, input), resolve(context.cwd, output)];
  const isWeights = weightEndings.includes(extname(from).toLowerCase());
  if (extname(to).toLowerCase() === '.onnx') {
    await expectTargets(context, { files: { output } });
    return convertModel({ name: input, from, to, isWeights, flags, context });
  }
  expectNoModelFlags(flags, output);
  if (isWeights && !isFeatures(from, to)) {
    const { convertTensors } = await import('../format/convert-tensors.ts');
    return { tensors: await convertTensors(from, to, { optimizer: flags.optimizer }) };
  }
  if (extname(from).toLowerCase() === '.onnx') {
    throw new ConfigError(
      'output',
      `Expected an output that ends in .onnx for a model but received ${output}: rename it.`,
    );
  }
  return convertData(from, to, flags.shardSize);
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
  throw new ConfigError(
    key,
    `Expected --${key} with an output that ends in .onnx but received ${output}: leave it out.`,
  );
}
