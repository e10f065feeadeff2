/** Measures the two constants of a plan's time: a rank's computing speed and its sending speed. */
import { type ExecFileException, execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Store } from '@magface/torch';
import { MagfaceError } from '../../errors.ts';
import { cores } from '../../machine/cores.ts';
import type { MachineConstants, RankTask } from './machine-rank.ts';

export type { MachineConstants } from './machine-rank.ts';

export interface MachineOptions extends RankTask {
  /** Number of concurrent processes on this machine; if they exceed its cores, they share them. */
  readonly ranks: number;
}

/** Maximum number of measuring processes: one per core. */
const mostRanks = (): number => cores();

/**
 * Starts one process per rank of the plan, but at most one per core. All run training steps at once, then sum gradients.
 * Takes some seconds.
 *
 * @returns the constants of one of `ranks` ranks on this machine; more ranks than cores share the arithmetic
 * @throws {MagfaceError} `rank_lost` if a process fails; ends the others, which would wait for minutes
 */
export async function measureMachine({ ranks, ...task }: MachineOptions): Promise<MachineConstants> {
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
  return new MagfaceError(
    'rank_lost',
    {
      expected: `${size} processes to run a short measurement`,
      problem: `one ${how}${said === undefined ? '' : ` (${said})`}`,
      remedy: 'pass --gflops and --bandwidth instead',
    },
    { cause },
  );
}

// From source (in tests), uses the compiled program: a separate process has no TypeScript loader.
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
