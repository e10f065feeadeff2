/** The two constants of a plan's time, measured here: how fast a rank computes, and how fast it sends. */

import { type ExecFileException, execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Store } from '@magface/torch';
import { MagfaceError } from '../../errors.ts';
import { cores } from '../../machine/cores.ts';
import type { MachineConstants, RankTask } from './machine-rank.ts';

export type { MachineConstants } from './machine-rank.ts';

export interface MeasureOptions extends RankTask {
  /** Processes at once on this machine; more than it has cores share them. */
  readonly ranks: number;
}

/** Most processes that are started to measure: each core has one then. */
const mostRanks = (): number => cores();

/**
 * Starts as many processes as the plan has ranks, or as there are cores, lets all do training steps at once, then sum
 * gradients. Takes some seconds.
 *
 * @returns of a rank, `ranks` of which share this machine. Where there are more than cores they share the arithmetic.
 * @throws {MagfaceError} `rank_lost` when a process fails; the others, which would wait for it for minutes, are ended
 */
export async function measureMachine({ ranks, ...task }: MeasureOptions): Promise<MachineConstants> {
  const size = Math.min(ranks, mostRanks());
  const store = new Store({ isServer: true });
  const program = fileURLToPath(new URL(programFile, import.meta.url));
  const runs = Array.from({ length: size }, (_, rank) => {
    const env = { ...process.env, ...variables({ rank, size, port: store.port }) };
    return promisify(execFile)(process.execPath, [program, JSON.stringify(task)], { env });
  });
  const [first] = await Promise.all(runs).catch(async (error: ExecFileException) => {
    for (const { child } of runs) child.kill('SIGKILL');
    await Promise.allSettled(runs);
    throw lostError(error, size);
  });
  const measured = JSON.parse(first!.stdout) as MachineConstants;
  return { ...measured, gflops: (measured.gflops * size) / ranks };
}

function lostError(cause: ExecFileException, size: number): MagfaceError {
  const how = cause.signal == null ? `ended with exit code ${cause.code}` : `was ended by ${cause.signal}`;
  const said = /^\w*Error: (.+)$/m.exec(cause.stderr ?? '')?.[1];
  const message = `Expected ${size} processes to train here for a moment but one ${how}${said === undefined ? '' : ` (${said})`}: give --gflops and --bandwidth instead.`;
  return new MagfaceError('rank_lost', message, { cause });
}

// From source (tests) the compiled program serves: a process of its own has no loader for TypeScript.
const programFile = import.meta.url.endsWith('.ts')
  ? '../../../dist/train/parallel/machine-rank.js'
  : './machine-rank.js';

const variables = ({ rank, size, port }: { rank: number; size: number; port: number }): NodeJS.ProcessEnv => ({
  RANK: `${rank}`,
  WORLD_SIZE: `${size}`,
  LOCAL_WORLD_SIZE: `${size}`,
  MASTER_ADDR: '127.0.0.1',
  MASTER_PORT: `${port}`,
  TORCHELASTIC_USE_AGENT_STORE: 'True',
});
