/** Finds where a run begins: at its first step, or at its newest complete checkpoint. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CheckpointError, ConfigError, FormatError } from '../../errors.ts';
import { type FolderLock, type LockPurpose, lockFolder } from '../../machine/folder-lock.ts';
import { makeFolder } from '../../machine/make-folder.ts';
import { removeLeftovers } from '../parallel/sharded-checkpoint.ts';
import { MetricsWindow, type WindowState } from '../record/metrics.ts';
import type { TrainConfig } from '../settings/config.ts';
import { type CheckpointContent, listCheckpoints, readCheckpoint } from './checkpoint-file.ts';
import { listOfficialCheckpoints, readOfficialRun } from './official-checkpoint.ts';

/** The position in a run, stored in checkpoints. */
export interface Position {
  readonly epoch: number;
  /** Completed steps of this epoch. */
  readonly step: number;
  /** Total images seen; absent in old checkpoints and those of the official trainers. */
  readonly samples?: number;
  readonly skipped: number;
  readonly window: WindowState;
}

/** Where a run resumes. */
export interface Beginning extends Position {
  /** The checkpoint file to resume from. @default none: the run starts afresh */
  readonly checkpoint?: string;
}

/** Restores a checkpoint: a trainer. */
export interface Resumable {
  readonly options: { readonly classes: number };
  restore(content: CheckpointContent, file: string): void;
}

/** The position before the first step. */
export const start: Position = { epoch: 0, step: 0, skipped: 0, window: new MetricsWindow().state };

const asRun: LockPurpose = {
  key: 'output',
  what: 'the output folder',
  use: 'trains into it',
  remedy: 'wait for it or stop it, or use another --output',
};

/**
 * Creates and locks the run's folder, since two runs would mix their rows and checkpoints. Removes partial files of a
 * killed run.
 *
 * @throws {ConfigError} if it or a parent folder is a file, if it cannot be created, or if another run has locked it
 */
export async function claimOutput({ output }: TrainConfig): Promise<FolderLock> {
  await makeOutput(output);
  const lock = await lockFolder(output, asRun, { thread: true }); // a step may block the main thread for minutes
  removeLeftovers(output);
  return lock;
}

async function makeOutput(output: string): Promise<void> {
  try {
    await makeFolder(output);
  } catch (cause) {
    if (cause instanceof ConfigError) throw new ConfigError('output', cause, { cause });
    if (!['EEXIST', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '')) throw cause;
    const message = {
      expected: 'a folder for checkpoints and metrics',
      problem: `${output} is a file, or lies in one`,
      remedy: 'pass a folder',
    };
    throw new ConfigError('output', message, { cause });
  }
}

/** The message when a run is asked to stop. */
export const stoppedNote = ({ output }: TrainConfig): string =>
  `Stopped before the end, with a checkpoint in ${output}: continue with --resume.`;

/** @throws {ConfigError} if the folder already holds a run */
export function begin({ output }: TrainConfig): Position {
  if (listCheckpoints(output).length > 0) {
    throw new ConfigError('output', {
      expected: 'an output folder without checkpoints',
      problem: `${output} has some`,
      remedy: 'add --resume, or use another folder',
    });
  }
  rmSync(join(output, 'metrics.jsonl'), { force: true });
  return start;
}

/** Restores the newest complete checkpoint; reports and skips incomplete ones. */
export async function resume(
  config: TrainConfig,
  trainer: Resumable,
  onNote: (line: string) => void,
): Promise<Beginning> {
  const files = listCheckpoints(config.output);
  for (const file of files) {
    try {
      const content = await readCheckpoint(file);
      trainer.restore(content, file);
      const saved = content.state as SavedState;
      const { position } = saved;
      onNote(`Continuing from ${file}: epoch ${position.epoch}, step ${position.step}.`);
      return { ...withSettings(saved, config, onNote), checkpoint: file };
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      onNote(`${error.message} Trying the previous one.`);
    }
  }
  if (files.length > 0) {
    throw new CheckpointError(config.output, {
      expected: `a complete checkpoint in ${config.output}`,
      problem: `none of its ${files.length} is`,
      remedy: 'start again in another folder',
    });
  }
  const official = existsSync(config.output) ? listOfficialCheckpoints(config.output)[0] : undefined;
  if (official !== undefined) return resumeOfficial(official, config, { trainer, onNote });
  onNote(`There is no checkpoint in ${config.output} yet: starting at the beginning.`);
  return start;
}

/** Resumes an official run from its newest epoch; its files do not contain the state of the random numbers. */
async function resumeOfficial(
  file: string,
  { arch, embeddingSize }: TrainConfig,
  { trainer, onNote }: { readonly trainer: Resumable; readonly onNote: (line: string) => void },
): Promise<Beginning> {
  const { content, epoch, atRest } = await readOfficialRun(file, {
    arch,
    embeddingSize,
    classes: trainer.options.classes,
  });
  trainer.restore(content, file);
  const velocities = atRest === 0 ? 'with all velocities' : `${atRest} parameters without a velocity`;
  onNote(`Continuing from ${file} of the official trainer: epoch ${epoch}, ${velocities}.`);
  return { ...start, epoch, checkpoint: file };
}

interface SavedState {
  readonly position: Position;
  readonly config: TrainConfig;
}

/** Settings may change between runs: reports which did, and with another batch size keeps the place in the epoch. */
function withSettings(
  { position, config: before }: SavedState,
  config: TrainConfig,
  onNote: (line: string) => void,
): Position {
  const keys = Object.keys(config) as (keyof TrainConfig)[];
  const changed = keys.filter((key) => key !== 'output' && JSON.stringify(before[key]) !== JSON.stringify(config[key]));
  const changes = changed.map((key) => `${key} ${JSON.stringify(before[key])} to ${JSON.stringify(config[key])}`);
  if (changes.length > 0) onNote(`Settings that have changed since: ${changes.join(', ')}.`);
  if (before.batchSize === config.batchSize) return position;
  return { ...position, step: Math.floor((position.step * before.batchSize) / config.batchSize) };
}
