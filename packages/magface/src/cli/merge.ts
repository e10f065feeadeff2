/** `magface merge`: joins the shards of a run, or writes one run in another format. */
import { extname } from 'node:path';
import type { Command } from 'commander';
import { ConfigError } from '../errors.ts';
import { expectFileTarget, expectFolderTarget } from '../format/write-target.ts';
import { finishedShards } from '../runs/shards.ts';
import type { ConfigOf } from '../settings/setting.ts';
import type { Context } from './context.ts';
import type { ExitCode } from './errors.ts';
import { formatOf, outputSettings } from './options.ts';
import { counted, printRecord } from './output.ts';
import { addSettings } from './setting-flags.ts';

const settings = {
  output: { takes: 'text', value: '<file>', says: 'file or folder to write', required: true },
  ...outputSettings,
} as const;

type Flags = ConfigOf<typeof settings>;

const examples = `
All shards of one run must be there and finished: their journals tell. The
result is the same as that of one run without --shard.
  quality  to .jsonl, .csv or .parquet (from .jsonl)
  embed    to .list, .npy, .safetensors or .jsonl
  align    to a folder, as copies

Examples:
  magface merge faces.*-of-8.jsonl --output faces.jsonl
  magface merge faces.jsonl --output faces.parquet
  magface merge photos.*-of-8.npy --output photos.safetensors`;

export function defineMerge(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command
    .description('Join the shards of a run of quality, embed or align, or write a finished run in another format.')
    .argument('<shard...>', 'what the shards wrote: files, or folders of align');
  addSettings(command, settings).addHelpText('after', examples);
  command.action(async (shards: string[], flags: Flags) => done(await merge(shards, flags, context)));
}

async function merge(inputs: readonly string[], flags: Flags, context: Context): Promise<ExitCode> {
  const { output } = flags;
  const shards = await finishedShards(inputs);
  if (inputs.includes(output))
    throw new ConfigError('output', {
      expected: 'another output than the shards',
      received: output,
      remedy: 'name a new one',
    });
  const { command } = shards[0]!.header;
  await (command === 'align' ? expectFolderTarget(output) : expectFileTarget(output));
  const rows = await joined(command, shards, output);
  const images = shards.reduce((sum, shard) => sum + shard.images.length, 0);
  const what = command === 'quality' ? 'row' : command === 'embed' ? 'feature' : 'face';
  const lines = [`${counted(images, 'image')}, ${counted(rows, what)}, in ${output}`];
  await printRecord(context.stdout, { images, rows, output }, { format: formatOf(flags), lines });
  return 0;
}

/** @returns the number of rows */
async function joined(
  command: string,
  shards: Awaited<ReturnType<typeof finishedShards>>,
  output: string,
): Promise<number> {
  const { mergeFaces, mergeFeatures, mergeText } = await import('../runs/merge.ts');
  if (command === 'embed') return mergeFeatures(shards, output);
  if (command === 'align') return mergeFaces(shards, output);
  if (extname(output) === '.parquet') return (await import('./parquet.ts')).mergeParquet(shards, output);
  return mergeText(shards, output);
}
