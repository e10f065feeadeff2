/** `magface doctor`: what is installed, what is missing and how to get it. */
import { readdir, stat } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { cacheFolder } from '../models/cache.ts';
import type { Context } from './context.ts';
import type { ExitCode } from './errors.ts';
import { addOutputFlags, formatOf, type OutputFlags } from './options.ts';
import { printRecord } from './output.ts';

const trainingRemedy =
  'training needs @magface/torch: npm install @magface/torch, then npx magface-torch build (a compiler and libtorch)';

export function defineDoctor(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command.description('Show versions, engines, devices, the cache and its models, what is missing and how to get it.');
  addOutputFlags(command).action(async (flags: OutputFlags) => {
    const record = await examine(context);
    const lines = Object.entries(record).flatMap(([key, value]) => describe(key, value));
    await printRecord(context.stdout, { ...record }, { format: formatOf(flags), lines });
    done(0);
  });
}

interface Diagnosis {
  readonly node: string;
  readonly platform: string;
  readonly threads: number;
  readonly memoryGiB: number;
  /** Version of each engine; null where it does not load. */
  readonly engines: Readonly<Record<string, string | null>>;
  readonly devices: readonly string[];
  readonly cache: { readonly path: string; readonly bytes: number };
  /** Models in the cache, by id. */
  readonly models: readonly string[];
  /** What is missing, each with how to get it. */
  readonly missing: readonly string[];
}

async function examine({ env, services }: Context): Promise<Diagnosis> {
  const path = cacheFolder(env['MAGFACE_CACHE']);
  const known = await services.listModels({ cacheDir: env['MAGFACE_CACHE'] });
  const engines = await findEngines();
  const torch = isInstalled('@magface/torch');
  const broken = Object.entries(engines).filter(([, version]) => version === null);
  return {
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    threads: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    engines: { ...engines, '@magface/torch': torch ? 'installed' : null },
    devices: ['cpu'],
    cache: { path, bytes: await sizeOf(path) },
    models: known.filter(({ cached }) => cached).map(({ id }) => id),
    missing: [
      ...broken.map(([name]) => `${name} does not load: npm install anew on this machine, for its platform`),
      ...known
        .filter(({ cached, source }) => !cached && source !== null)
        .map(({ id }) => `model ${id} is not cached: magface models pull ${id}`),
      ...(torch ? [] : [trainingRemedy]),
    ],
  };
}

async function findEngines(): Promise<Record<string, string | null>> {
  const onnx = import('onnxruntime-node').then(({ env }) => env.versions.node ?? env.versions.common);
  const vips = import('sharp').then(({ default: { versions } }) => `${versions.sharp} (libvips ${versions.vips})`);
  const orNull = (version: Promise<string>): Promise<string | null> => version.catch(() => null);
  return { 'onnxruntime-node': await orNull(onnx), sharp: await orNull(vips) };
}

function isInstalled(name: string): boolean {
  try {
    import.meta.resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** Bytes of all files below a folder; 0 when it is not there. */
async function sizeOf(folder: string): Promise<number> {
  const files = await readdir(folder, { recursive: true }).catch(() => []);
  const sizes = files.map(async (file) => {
    const found = await stat(join(folder, file)).catch(() => undefined);
    return found?.isFile() === true ? found.size : 0;
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

function describe(key: string, value: unknown): string[] {
  if (Array.isArray(value))
    return value.length === 0 ? [`${key}: none`] : [`${key}:`, ...value.map((line) => `  ${line}`)];
  if (typeof value !== 'object' || value === null) return [`${key}: ${value}`];
  return [`${key}:`, ...Object.entries(value).map(([name, text]) => `  ${name}: ${text ?? 'missing'}`)];
}
