/** How many cores this process may use: a container often has fewer than its machine. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { ConfigError } from '../errors.ts';

/** Where a container's share of the processor stands: `max 100000`, or microseconds in each period. */
const quotaFile = '/sys/fs/cgroup/cpu.max';

/**
 * @returns `MAGFACE_CORES` where it is set; else the cores that the system gives this process, at most as many as its
 * container may keep busy (Linux's cgroups, version 2)
 * @throws {ConfigError} when `MAGFACE_CORES` is no whole number from 1
 */
export function cores(environment: NodeJS.ProcessEnv = process.env): number {
  const given = environment['MAGFACE_CORES'];
  if (given === undefined || given === '') return Math.max(1, Math.min(availableParallelism(), quota(readQuota())));
  if (/^[1-9]\d{0,3}$/.test(given)) return Number(given);
  throw new ConfigError('MAGFACE_CORES', `Expected MAGFACE_CORES to be a whole number from 1 but received ${given}.`);
}

/** @param text - of {@link quotaFile} @returns cores, rounded up; Infinity without a limit */
export function quota(text: string): number {
  const [most, period] = text.trim().split(' ').map(Number);
  return most! > 0 && period! > 0 ? Math.ceil(most! / period!) : Number.POSITIVE_INFINITY;
}

function readQuota(): string {
  try {
    return readFileSync(quotaFile, 'utf8');
  } catch {
    return 'max';
  }
}
