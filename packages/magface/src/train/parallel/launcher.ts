/**
 * Starts the processes of a parallel run on this machine, runs their store, and restarts all from the last checkpoint when
 * one of them dies. Other launchers also work: ranks find each other through torchrun's variables alone.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { Store } from '@magface/torch';

/** Which processes to start on this machine, and what to do when one fails. */
export interface LaunchOptions {
  /** R: number of processes. `--nproc` */
  readonly ranks: number;
  /** Arguments to `node` that start a rank. @param attempt - from 0 */
  readonly command: (attempt: number) => readonly string[];
  /** `--max-restarts` @default 0 */
  readonly maxRestarts?: number;
  /** Seconds that the other ranks get to exit after one fails. @default 30 */
  readonly grace?: number;
  /** Asks all ranks to write a checkpoint and exit. */
  readonly signal?: AbortSignal;
  /** Receives messages for the user. */
  readonly onNote?: (line: string) => void;
  /** Called as each process starts. */
  readonly onStart?: (rank: number, child: ChildProcess) => void;
}

/** How a rank ended. */
interface Ended {
  readonly rank: number;
  readonly status: number | null;
  readonly killedBy: NodeJS.Signals | null;
  /** Its output; empty for the first rank, which prints directly. */
  readonly said: string;
}

/** Exit code for incorrect usage, which a restart would repeat. */
const wrongUseStatus = 2;

/** @returns the overall exit code: 0 if every rank succeeded */
export async function launch(options: LaunchOptions): Promise<number> {
  const { maxRestarts = 0, onNote = () => {}, signal } = options;
  const store = new Store({ isServer: true });
  for (let attempt = 0; ; attempt++) {
    const failed = await runOnce(options, { attempt, port: store.port });
    if (failed === undefined) return 0;
    if (signal?.aborted === true) return 130;
    const { rank, status, killedBy, said } = failed;
    const how = killedBy === null ? `ended with exit code ${status}` : `was ended by ${killedBy}`;
    if (said !== '') onNote(`Rank ${rank}: ${said}`);
    if (status === wrongUseStatus || attempt === maxRestarts) {
      if (status !== wrongUseStatus) onNote(`Rank ${rank} ${how}: continue from the last checkpoint with --resume.`);
      return status ?? 1;
    }
    onNote(`Rank ${rank} ${how}: restarting from the last checkpoint (${attempt + 1} of ${maxRestarts}).`);
  }
}

/** @returns the rank that failed first, undefined if none did */
async function runOnce(
  options: LaunchOptions,
  { attempt, port }: { readonly attempt: number; readonly port: number },
): Promise<Ended | undefined> {
  const { ranks, grace = 30, signal, onStart } = options;
  const children = Array.from({ length: ranks }, (_, rank) => {
    const child = startRank(options.command(attempt), environmentOf({ rank, ranks, attempt, port }));
    onStart?.(rank, child);
    return child;
  });
  const killAll = (how: NodeJS.Signals): void => {
    for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill(how);
  };
  const end = (): void => killAll('SIGKILL');
  const interrupt = (): void => killAll('SIGINT');
  process.once('exit', end);
  signal?.addEventListener('abort', interrupt);
  let first: Ended | undefined;
  const allEnded = new AbortController();
  const all = children.map(async (child, rank) => {
    const ended = await endOf(child, rank);
    if (first !== undefined || (ended.status === 0 && ended.killedBy === null)) return;
    first = ended;
    setTimeout(grace * 1000, undefined, { signal: allEnded.signal }).then(end, () => {});
  });
  await Promise.all(all);
  allEnded.abort();
  signal?.removeEventListener('abort', interrupt);
  process.off('exit', end);
  return first;
}

/**
 * Only the first rank prints. The channel tells a rank when its launcher has died. Each rank has its own process group, so
 * Ctrl-C reaches only the launcher, which asks each rank once.
 */
function startRank(words: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  const output = env['RANK'] === '0' ? 'inherit' : 'ignore';
  const errors = env['RANK'] === '0' ? 'inherit' : 'pipe';
  return spawn(process.execPath, words, { env, stdio: ['ignore', output, errors, 'ipc'], detached: true });
}

const environmentOf = (place: { rank: number; ranks: number; attempt: number; port: number }): NodeJS.ProcessEnv => ({
  ...process.env,
  RANK: `${place.rank}`,
  LOCAL_RANK: `${place.rank}`,
  WORLD_SIZE: `${place.ranks}`,
  LOCAL_WORLD_SIZE: `${place.ranks}`,
  MASTER_ADDR: '127.0.0.1',
  MASTER_PORT: `${place.port}`,
  TORCHELASTIC_USE_AGENT_STORE: 'True',
  TORCHELASTIC_RESTART_COUNT: `${place.attempt}`,
});

async function endOf(child: ChildProcess, rank: number): Promise<Ended> {
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000);
  });
  return await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, killedBy) => resolve({ rank, status, killedBy, said: said.trim() }));
  });
}
