/** How many cores this process may use: a container often has fewer than its machine. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { ConfigError } from '../errors.ts';

/** The CPU quota of a container: `max 100000`, or microseconds per period. */
const quotaFile = '/sys/fs/cgroup/cpu.max';

/**
 * @returns `MAGFACE_CORES` if it is set; else the cores available to this process, limited by the CPU quota of its
 * container (Linux cgroups, version 2)
 * @throws {ConfigError} if `MAGFACE_CORES` is not a positive integer
 */
export function cores(environment: NodeJS.ProcessEnv = process.env): number {
  const given = environment['MAGFACE_CORES'];
  if (given === undefined || given === '') return Math.max(1, Math.min(availableParallelism(), quota(readQuota())));
  if (/^[1-9]\d{0,3}$/.test(given)) return Number(given);
  throw new ConfigError('MAGFACE_CORES', {
    expected: 'MAGFACE_CORES to be a whole number from 1',
    received: given,
    remedy: 'correct or unset it',
  });
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
