/** Stores the results of `magface doctor --tune` per model, in a cache that is valid until the machine or a version changes. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { writeWhole } from '../../format/file-writer.ts';
import { cores } from '../../machine/cores.ts';
import { makeFolder } from '../../machine/make-folder.ts';
import type { Device } from './device-names.ts';
import { env } from './onnx-runtime.ts';

/** A measured way of running a model. */
export interface Trial extends Engine {
  /** Faces per second. */
  readonly rate: number;
}

/** The best way, and the trials it was chosen from. */
export interface Tuning extends Engine {
  readonly trials: readonly Trial[];
  /** Lowest cosine between embeddings of torch and ONNX Runtime; null if torch was not tried. */
  readonly cosine: number | null;
  /** Most that torch changes the length of an embedding, as a share of it; null if torch was not tried. */
  readonly lengthChange: number | null;
}

const count = z.int().positive();
const way = { name: z.enum(['onnx', 'torch']), threads: count, batchSize: count };
const tuning: z.ZodType<Tuning> = z.strictObject({
  ...way,
  trials: z.array(z.strictObject({ ...way, rate: z.number().positive() })),
  cosine: z.number().nullable(),
  lengthChange: z.number().nullable(),
});

/** Each machine, processor and version has its own file. */
async function tuningPath(folder: string, digest: string): Promise<string> {
  const torch = await import('../torch/torch-session.ts')
    .then(({ torchVersions }) => torchVersions())
    .catch(() => undefined);
  const facts = [cpus()[0]?.model, cores(), env.versions, torch ?? null, process.arch];
  const machine = createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16);
  return join(folder, 'tuning', `${digest}-${machine}.json`);
}

/** @param digest - of the model's file @returns undefined if the model was not tuned on this machine */
export async function readTuning(folder: string, digest: string): Promise<Tuning | undefined> {
  if (!existsSync(join(folder, 'tuning'))) return undefined;
  const text = await readFile(await tuningPath(folder, digest), 'utf8').catch(() => 'null');
  try {
    return tuning.parse(JSON.parse(text));
  } catch {
    return undefined; // missing, or truncated by a full disk: the next tuning rewrites it
  }
}

/** @returns the path of the file */
export async function writeTuning(folder: string, digest: string, found: Tuning): Promise<string> {
  const path = await tuningPath(folder, digest);
  await makeFolder(join(folder, 'tuning'));
  await writeWhole(path, Buffer.from(JSON.stringify(found)));
  return path;
}

/** How to run a recogniser. */
export interface Engine {
  readonly name: EngineName;
  /** Threads per run. */
  readonly threads: number;
  /** Maximum number of faces per run. */
  readonly batchSize: number;
  /** Absent for the CPU. */
  readonly device?: Exclude<Device, 'cpu'> | undefined;
}

/** `onnx`: ONNX Runtime in float32. `torch`: libtorch, in bfloat16 if the processor supports it, else in float32. */
export type EngineName = 'onnx' | 'torch';
