/** `magface models`: lists known and cached models and their contracts. */
import type { Command } from 'commander';
import type { ModelRecord } from '../models/list-models.ts';
import type { ConfigOf } from '../settings/setting.ts';
import { type Context, note } from './context.ts';
import type { ExitCode } from './errors.ts';
import { formatOf, type OutputFlags, offlineSettings, outputSettings } from './options.ts';
import { type Column, createRows, printRecord } from './output.ts';
import { downloadNotes } from './run-images.ts';
import { addSettings } from './setting-flags.ts';

type ModelsFlags = ConfigOf<typeof offlineSettings> & OutputFlags;

const table: readonly Column<ModelRecord>[] = [
  { title: 'model', value: ({ id }) => id }, // never shortened: users type it
  { title: 'kind', value: ({ kind }) => kind },
  { title: 'cached', value: ({ cached }) => (cached ? 'yes' : 'no') },
  { title: 'licence', value: ({ licence }) => licence, layout: 'middle' },
  { title: 'what', value: ({ description }) => description, layout: 'wrap' },
];

const examples = `
Examples:
  magface models list
  magface models pull fr-feature
  magface models show my.onnx --json`;

export function defineModels(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command.description('List, download and show models: a path, an id in the list, https: or npm:NAME@VERSION/PATH.');
  command.addHelpText('after', examples);
  const list = command.command('list').description('List the models that have an id, and which are cached.');
  addSettings(list, outputSettings).action(async (flags: ModelsFlags) => {
    const rows = createRows(context.stdout, { format: formatOf(flags), table });
    for (const record of await context.services.listModels(cacheOf(context))) await rows.write(record);
    await rows.close();
    done(0);
  });
  for (const [name, description] of [
    ['pull', 'Download a model into the cache and verify it.'],
    ['show', 'Show a model’s record: input, calibration, licence, digest.'],
  ] as const) {
    const sub = command.command(name).description(description).argument('<model>', 'a path, an id, https: or npm:');
    addSettings(sub, { ...offlineSettings, ...outputSettings }).action(async (model: string, flags: ModelsFlags) => {
      await show(model, { ...flags, refresh: name === 'pull' }, context);
      done(0);
    });
  }
}

/** Only pulling uses the network: showing prints what the list knows, and how to get the rest. */
async function show(name: string, flags: ModelsFlags & { readonly refresh: boolean }, context: Context): Promise<void> {
  const { offline, quiet, refresh } = flags;
  const absent = refresh ? undefined : await absentEntry(name, context);
  if (absent !== undefined) {
    await print(absent, flags, context);
    if (quiet !== true && absent['source'] !== null)
      note(context, `Not downloaded yet: run \`magface models pull ${name}\`, which also shows its size.`);
    return;
  }
  const model = await context.services.loadModel(name, {
    ...cacheOf(context),
    offline: offline === true || !refresh,
    refresh,
    onProgress: downloadNotes(flags, context),
    signal: context.signal,
  });
  if (quiet !== true) for (const line of [model.assumed].flat()) note(context, line);
  const { digest, contract } = model;
  await print({ name: model.name, bytes: model.bytes.length, digest, ...contract }, flags, context);
}

/** The list's entry for a model that is not on this machine. */
async function absentEntry(name: string, context: Context): Promise<Readonly<Record<string, unknown>> | undefined> {
  const { readRegistry } = await import('../models/registry.ts');
  const entry = (await readRegistry()).find(({ id }) => id === name);
  if (entry === undefined) return undefined;
  const listed = await context.services.listModels(cacheOf(context));
  if (entry.source !== undefined && listed.some(({ id, cached }) => id === name && cached)) return undefined;
  const { id, description, source = null, instructions, sha256, contract } = entry;
  return {
    name: id,
    description,
    source,
    ...(instructions !== undefined && { instructions }),
    cached: false,
    digest: sha256 ?? null,
    ...contract,
  };
}

async function print(record: Readonly<Record<string, unknown>>, flags: OutputFlags, context: Context): Promise<void> {
  const lines = Object.entries(record).map(
    ([key, value]) => `${key}: ${typeof value === 'object' ? JSON.stringify(value) : value}`,
  );
  await printRecord(context.stdout, record, { format: formatOf(flags), lines });
}

const cacheOf = ({ env }: Context): { readonly cacheDir: string | undefined } => ({ cacheDir: env['MAGFACE_CACHE'] });
