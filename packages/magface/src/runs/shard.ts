/** Shards: consecutive parts of a list of images, for several machines. */
import { extname } from 'node:path';
import { ConfigError } from '../errors.ts';

/** `2/8` or `auto/8` */
export const shardPattern: RegExp = /^(\d+|auto)\/(\d+)$/;

/** One part of a run. */
export interface Shard {
  /** From 1. */
  readonly index: number;
  readonly count: number;
}

/**
 * @param text - `2/8`; `auto/8` takes the index from a Slurm array (`--array=1-8`) or an indexed job of Kubernetes
 * @throws {ConfigError} if it is neither
 */
export function parseShard(text: string, env: Readonly<Record<string, string | undefined>>): Shard {
  const [, part, total] = shardPattern.exec(text) ?? [];
  const refuse = (received: string, remedy: string): never => {
    throw new ConfigError('shard', {
      expected: 'a shard as I/N, with I from 1 to N,',
      received: received,
      remedy: remedy,
    });
  };
  if (part === undefined || total === undefined) return refuse(text, 'write 2/8 for the second of eight');
  const count = Number(total);
  const index = part === 'auto' ? indexOf(env) : Number(part);
  if (index === undefined)
    return refuse(
      `${text} outside of a job that sets SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX`,
      'write the number, or start it as an array',
    );
  if (index >= 1 && index <= count) return { index, count };
  const remedy = part === 'auto' ? `use --array=1-${count} or completions: ${count}` : 'count from 1';
  return refuse(`${index}/${count}`, remedy);
}

/** Slurm counts as the user says, which is from 1 here; Kubernetes counts from 0. */
function indexOf(env: Readonly<Record<string, string | undefined>>): number | undefined {
  const { SLURM_ARRAY_TASK_ID: slurm, JOB_COMPLETION_INDEX: kubernetes } = env;
  if (slurm !== undefined) return Number(slurm);
  return kubernetes === undefined ? undefined : Number(kubernetes) + 1;
}

/** @returns the items of the shard: all shards, one after the other, are the list, and their lengths differ by at most 1 */
export function shardOf<T>(list: readonly T[], { index, count }: Shard): readonly T[] {
  const start = (part: number): number => Math.floor((part * list.length) / count);
  return list.slice(start(index - 1), start(index));
}

/** `faces.jsonl` becomes `faces.02-of-16.jsonl`, so that sorted names are in the order of the shards. */
export function shardPath(path: string, { index, count }: Shard): string {
  const ending = extname(path);
  const part = String(index).padStart(String(count).length, '0');
  return `${path.slice(0, path.length - ending.length)}.${part}-of-${count}${ending}`;
}
