/** `magface doctor`: shows what is installed or missing, and remedies. */
import { readdir, stat } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { MagfaceError } from '../errors.ts';
import { cores } from '../machine/cores.ts';
import { cacheFolder } from '../models/cache.ts';
import type { ConfigOf } from '../settings/setting.ts';
import type { MemoryTrial, TorchState } from '../train/loop/torch-state.ts';
import type { Context } from './context.ts';
import type { ExitCode } from './errors.ts';
import { formatOf, offlineSettings, outputSettings } from './options.ts';
import { printRecord } from './output.ts';
import { addSettings } from './setting-flags.ts';
import { tuneModel, tuningLines } from './tune-model.ts';

const packageRemedy =
  'training needs @magface/torch: run npm install @magface/torch, then npx magface-torch (which compiles it for libtorch, or explains how to get libtorch)';
const blasRemedy =
  'libtorch multiplies matrices with the reference BLAS, about 20 times slower than OpenBLAS: run apt-get install libopenblas0-pthread';
const addonRemedy =
  'training needs the compiled addon of @magface/torch: run npx magface-torch (which finds libtorch, or explains how to get it)';

const settings = {
  memory: { takes: 'boolean', value: '', says: 'test the memory allocator of training' },
  tune: {
    takes: 'boolean',
    value: '',
    says: 'measure engines, batch sizes and threads for a model; --engine auto then uses the best',
  },
  model: {
    takes: 'text',
    value: '<model>',
    says: 'model to tune',
    otherwise: 'magface-small',
    onlyWith: ['tune'],
  },
  ...offlineSettings,
  ...outputSettings,
} as const;

type Flags = ConfigOf<typeof settings>;

export function defineDoctor(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command.description('Show versions, engines, devices and cached models, what is missing and how to get it.');
  addSettings(command, settings).action(async (flags: Flags) => {
    const tuned = flags.tune === true ? await tuneModel(flags, context) : undefined;
    const record = await examine(context);
    const memory = flags.memory === true ? await tryMemory() : undefined;
    const lines = Object.entries(record).flatMap(([key, value]) => describe(key, value));
    if (memory !== undefined) lines.push(...memoryLines(memory));
    if (tuned !== undefined) lines.push(...tuningLines(tuned));
    const all = { ...record, ...(memory && { memory }), ...(tuned && { tuned }) };
    await printRecord(context.stdout, all, { format: formatOf(flags), lines });
    done(0);
  });
}

interface Diagnosis {
  /** The program that runs this command, with its version. */
  readonly runtime: string;
  /** Version of Node; of another runtime, the version that it claims to match. */
  readonly node: string;
  readonly platform: string;
  readonly threads: number;
  readonly memoryGiB: number;
  /** Version of each engine; null if it does not load. */
  readonly engines: Readonly<Record<string, string | null>>;
  readonly devices: readonly string[];
  readonly cache: { readonly path: string; readonly bytes: number };
  /** Models in the cache, by id. */
  readonly models: readonly string[];
  /** What is missing, with remedies. */
  readonly missing: readonly string[];
}

async function examine({ env, services }: Context): Promise<Diagnosis> {
  const path = cacheFolder(env['MAGFACE_CACHE']);
  const known = await services.listModels({ cacheDir: env['MAGFACE_CACHE'] });
  const engines = await findEngines();
  const torch = await findTorch();
  const broken = Object.entries(engines).filter(([, version]) => version === null);
  return {
    runtime: runtimeOf(process.versions),
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    threads: cores(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    engines: { ...engines, '@magface/torch': torch.addon },
    devices: torch.devices,
    cache: { path, bytes: await sizeOf(path) },
    models: known.filter(({ cached }) => cached).map(({ id }) => id),
    missing: [
      ...broken.map(
        ([name]) => `${name} does not load: run npm install again on this machine, so that it fits the platform`,
      ),
      ...known
        .filter(({ cached, source }) => !cached && source !== null)
        .map(({ id }) => `model ${id} is not cached: run magface models pull ${id}`),
      ...(torch.missing === undefined ? [] : [torch.missing]),
    ],
  };
}

/** @returns name and version; others than Node also state the version of Node that they match */
export function runtimeOf(versions: Readonly<Record<string, string | undefined>>): string {
  const name = ['bun', 'deno', 'electron'].find((other) => versions[other] !== undefined) ?? 'node';
  return `${name} ${versions[name]}`;
}

async function findEngines(): Promise<Record<string, string | null>> {
  const onnx = import('../infer/node/onnx-runtime.ts').then(({ env }) => env.versions.node ?? env.versions.common);
  const vips = import('sharp').then(({ default: { versions } }) => `${versions.sharp} (libvips ${versions.vips})`);
  const orNull = (version: Promise<string>): Promise<string | null> => version.catch(() => null);
  return { 'onnxruntime-node': await orNull(onnx), sharp: await orNull(vips) };
}

interface FoundTorch extends Pick<TorchState, 'addon' | 'devices'> {
  /** What is missing, with the remedy. */
  readonly missing?: string;
}

/** Whether the optional training package is installed, compiled and loadable. */
async function findTorch(): Promise<FoundTorch> {
  const none = { addon: null, devices: ['cpu'] };
  try {
    const { torchState } = await import('../train/loop/torch-state.ts');
    const state = torchState();
    if (state.addon === null) return { ...none, missing: addonRemedy };
    return state.slowBlas ? { ...state, missing: blasRemedy } : state;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { ...none, missing: isNotInstalled(error) ? packageRemedy : text };
  }
}

const isNotInstalled = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';

/** @throws {MagfaceError} if the addon is missing */
async function tryMemory(): Promise<MemoryTrial> {
  const { addon, missing } = await findTorch();
  if (addon === null)
    throw new MagfaceError('libtorch_missing', {
      problem: 'testing the allocator needs libtorch',
      remedy: String(missing),
    });
  const { tryMemory } = await import('../train/loop/torch-state.ts');
  return tryMemory();
}

function memoryLines(trial: MemoryTrial): string[] {
  const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
  const { fromSystem, fromCache, hits, misses, peak, cached, limit } = trial;
  return [
    `memory, for allocating and freeing tensors of 64 MiB:`,
    `  from the system: ${fromSystem.toFixed(1)} ms each`,
    `  from the allocator's cache: ${fromCache.toFixed(1)} ms each, ${(fromSystem / fromCache).toFixed(1)} times as fast`,
    `  allocated: ${hits + misses} blocks, ${hits} of them from the cache; peak ${mebibytes(peak)}; cached ${mebibytes(cached)} of at most ${mebibytes(limit)}`,
  ];
}

/** Bytes of all files below a folder; 0 if it does not exist. */
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
