/** `magface convert`: weights and training sets from one form to another, by the endings of their names. */
import { writeFile } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Context } from './context.ts';
import type { ExitCode } from './errors.ts';
import { addOutputFlags, formatOf, type OutputFlags } from './options.ts';
import { printRecord } from './output.ts';

const examples = `
By the endings of the names:
  .pth .ckpt .safetensors   to .safetensors, .pth; nothing of a pickle is run
  .safetensors              of magface train to .onnx
  train.rec                 to a folder with train.list, or to a .tar of samples
  a folder a person         to train.rec with train.idx, or to a .tar

Examples:
  magface convert magface_iresnet50.pth magface.safetensors
  magface convert run/00025-0000000.safetensors official.pth
  magface convert train.rec faces/`;

export function defineConvert(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command
    .description('Convert weights or a training set, by the endings of the names.')
    .argument('<in>', 'what to convert')
    .argument('<out>', 'where to');
  addOutputFlags(command).addHelpText('after', examples);
  command.action(async (input: string, output: string, flags: OutputFlags) => {
    const record = { input, output, ...(await convert(resolve(context.cwd, input), resolve(context.cwd, output))) };
    const count = 'tensors' in record ? `${record.tensors} tensors` : `${record.images} images`;
    await printRecord(context.stdout, record, { format: formatOf(flags), lines: [`${count} in ${output}`] });
    done(0);
  });
}

const weightEndings = ['.pth', '.ckpt', '.pt', '.safetensors'];

async function convert(input: string, output: string): Promise<{ tensors: number } | { images: number }> {
  if (!weightEndings.includes(extname(input))) {
    return { images: await (await import('../train/convert-faces.ts')).convertFaces(input, output) };
  }
  if (extname(output) !== '.onnx') {
    return { tensors: await (await import('../format/convert-tensors.ts')).convertTensors(input, output) };
  }
  const { exportCheckpoint } = await import('../train/export-checkpoint.ts');
  const { readBackbone } = await import('../train/read-backbone.ts');
  const tensors = (await readBackbone(input)).weights.size;
  await writeFile(output, await exportCheckpoint(input));
  return { tensors };
}
