/**
 * Checkpoints on disk: one `.safetensors` with everything that resuming needs. They are written atomically, so a kill
 * leaves the previous one intact; a digest over all values detects every flipped bit.
 */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CheckpointError, FormatError } from '../../errors.ts';
import { type LazyTensor, openSafetensors, valuesOf, writeSafetensors } from '../../format/safetensors.ts';
import type { Tensor } from '../../format/tensor.ts';

/** The content of a checkpoint file. */
export interface CheckpointContent {
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** JSON under the metadata key `magface.checkpoint`. */
  readonly state: unknown;
}

const stateKey = 'magface.checkpoint';
const digestKey = 'magface.digest';

async function digestOf(tensors: ReadonlyMap<string, Tensor | LazyTensor>, state: string): Promise<string> {
  const hash = createHash('sha256').update(state);
  for (const [name, tensor] of tensors) {
    const { dtype, shape, bytes } = await valuesOf(tensor);
    hash.update(`\n${name} ${dtype} ${shape}\n`).update(bytes);
  }
  return hash.digest('hex');
}

/** Writes a checkpoint atomically; on return the complete file is on disk. */
export async function writeCheckpoint(
  file: string,
  { tensors, state }: { readonly tensors: ReadonlyMap<string, Tensor | LazyTensor>; readonly state: unknown },
): Promise<void> {
  const text = JSON.stringify(state);
  await writeSafetensors(file, tensors, { [stateKey]: text, [digestKey]: await digestOf(tensors, text) });
}

/**
 * @throws {FormatError} naming the file, if it is truncated, altered or not our checkpoint
 */
export async function readCheckpoint(file: string): Promise<CheckpointContent> {
  const { tensors, metadata } = await readTensors(file);
  const text = metadata[stateKey];
  const digest = metadata[digestKey];
  if (text === undefined || digest === undefined) {
    throw new FormatError(file, {
      expected: 'a checkpoint of magface train',
      problem: `its metadata have no ${stateKey}`,
      remedy: 'use --init for other weights',
    });
  }
  if ((await digestOf(tensors, text)) === digest) return { tensors, state: JSON.parse(text) };
  throw new FormatError(file, {
    expected: 'the digest to match',
    problem: 'at least one byte differs',
    remedy: 'use another checkpoint',
  });
}

/** Whether `magface train` wrote it, judging by its metadata alone. */
export const isCheckpoint = async (file: string): Promise<boolean> => (await stateText(file)) !== undefined;

/** Reads the state alone, without the tensors and thus without checking the digest. @returns `{}` for other files */
export async function readCheckpointState(file: string): Promise<unknown> {
  return JSON.parse((await stateText(file)) ?? '{}');
}

async function stateText(file: string): Promise<string | undefined> {
  const opened = await openSafetensors(file);
  try {
    return opened.metadata[stateKey];
  } finally {
    await opened.close();
  }
}

/** All tensors of a `.safetensors`. */
export async function readTensors(file: string): Promise<{
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
}> {
  const opened = await openSafetensors(file);
  try {
    const tensors = new Map<string, Tensor>();
    for (const name of opened.tensors.keys()) tensors.set(name, await opened.read(name));
    return { tensors, metadata: opened.metadata };
  } finally {
    await opened.close();
  }
}

/** `EPOCHS-STEPS.safetensors`: completed epochs, and steps into the next. */
export function checkpointName(epoch: number, step: number): string {
  return `${String(epoch).padStart(5, '0')}-${String(step).padStart(7, '0')}.safetensors`;
}

/**
 * @returns the checkpoints in a run's folder, newest first; empty if the folder does not exist, as before a run
 * @throws {CheckpointError} if it is a file
 */
export function listCheckpoints(folder: string): string[] {
  return namesIn(folder)
    .filter((name) => /^\d{5,}-\d{7,}\.safetensors$/.test(name))
    .sort()
    .reverse()
    .map((name) => join(folder, name));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    if (code !== 'ENOTDIR') throw cause;
    throw new CheckpointError(
      folder,
      {
        expected: 'a folder of checkpoints',
        problem: `${folder} is a file, or lies in one`,
        remedy: "pass the run's folder",
      },
      { cause },
    );
  }
}
