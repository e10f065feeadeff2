/**
 * Reads a process's rank from the variables of torchrun, which other launchers can set too.
 *
 *     RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT; LOCAL_WORLD_SIZE: ranks on this machine
 * TORCHELASTIC_USE_AGENT_STORE=True: the launcher runs the store, otherwise rank 0 does
 */
import { ProcessGroup, Store } from '@magface/torch';
import { ConfigError } from '../../errors.ts';
import { cores } from '../../machine/cores.ts';
import type { Rank } from './shares.ts';

export type { ProcessGroup } from '@magface/torch';

/** The rank given by the variables; undefined if they are not set and this process trains alone. */
export function rankOf(environment: NodeJS.ProcessEnv): Rank | undefined {
  if (environment['WORLD_SIZE'] === undefined) return undefined;
  const [rank, size] = [numberOf(environment, 'RANK'), numberOf(environment, 'WORLD_SIZE')];
  if (rank < size) return { rank, size };
  throw new ConfigError('RANK', {
    expected: `RANK below WORLD_SIZE (which is ${size})`,
    received: rank,
    remedy: 'check the launcher',
  });
}

/** Options for joining the group of ranks. */
export interface JoinOptions {
  /** How long to wait for the slowest rank, in seconds. @default 600 */
  readonly timeout?: number;
  /** `nccl` for ranks on GPUs. @default 'gloo' */
  readonly backend?: 'gloo' | 'nccl';
}

/** Joins the other ranks; returns when all have joined. */
export function joinGroup(place: Rank, environment: NodeJS.ProcessEnv, options: JoinOptions = {}): ProcessGroup {
  const { timeout = 600, backend = 'gloo' } = options;
  const host = environment['MASTER_ADDR'] ?? '127.0.0.1';
  const port = numberOf(environment, 'MASTER_PORT');
  const isServer = place.rank === 0 && environment['TORCHELASTIC_USE_AGENT_STORE'] !== 'True';
  const store = new Store({ host, port, isServer, timeout: timeout * 1000 });
  // A restart with the same store must not see the keys of the previous attempt.
  const name = `magface/${environment['TORCHELASTIC_RESTART_COUNT'] ?? 0}`;
  const isHere = host === '127.0.0.1' || host === 'localhost';
  const address = isHere ? { address: '127.0.0.1' } : {};
  return new ProcessGroup(store, { ...place, timeout: timeout * 1000, backend, name, ...address });
}

/** The communication backend for tensors of a device. */
export const backendOf = (device: string): 'gloo' | 'nccl' => (device === 'cpu' ? 'gloo' : 'nccl');

/** A group of one process, for features that need ranks, such as sampled classes. */
export function groupOfOne(backend: 'gloo' | 'nccl' = 'gloo'): ProcessGroup {
  return new ProcessGroup(new Store({ isServer: true }), { rank: 0, size: 1, backend, address: '127.0.0.1' });
}

/** CPU cores for each rank on this machine. */
export function coresOfRank(environment: NodeJS.ProcessEnv): number {
  const ranks = environment['LOCAL_WORLD_SIZE'] === undefined ? 1 : numberOf(environment, 'LOCAL_WORLD_SIZE');
  return Math.max(1, Math.floor(cores() / ranks));
}

function numberOf(environment: NodeJS.ProcessEnv, name: string): number {
  const value = environment[name];
  if (value !== undefined && /^\d+$/.test(value)) return Number(value);
  const received = value === undefined ? 'it is not set' : `it is "${value}"`;
  throw new ConfigError(name, {
    expected: `the variable ${name} to be a whole number`,
    problem: received,
    remedy: 'start with --nproc, or with a launcher that sets it',
  });
}
