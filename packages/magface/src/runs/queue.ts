/**
 * A queue of a run's parts in PostgreSQL, by pg-boss (SKIP LOCKED), for workers that may come and go. A part is a shard with its
 * own journal, so that the queue only says whose turn it is: the journal's lock keeps two workers from one part, and its lines
 * keep what a killed worker had finished.
 *
 * A worker that takes a part puts a copy of it into the queue at once, which nobody may take before `lease` seconds, and replaces
 * it by a later one while it lives. A killed worker's copy comes due, and another worker goes on with the part.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type PgBoss from 'pg-boss';
import { ConfigError, firstLine } from '../errors.ts';
import { isFinished } from './journal.ts';

export interface QueueOptions {
  /** What identifies the run: workers that agree on it share its parts. */
  readonly run: unknown;
  /** Outputs of the parts, the first at index 0. */
  readonly outputs: readonly string[];
  /** Seconds after which the part of a silent worker goes to another. */
  readonly lease: number;
}

/** A part that this worker is to run. */
export interface TakenPart {
  /** From 1. */
  readonly index: number;
  /** The part is finished. */
  done(): Promise<void>;
  /** Another worker may take it, after so many seconds. */
  giveBack(seconds: number): Promise<void>;
}

export interface PartQueue extends AsyncDisposable {
  /** Waits while others run the last parts, since one of them may fall to this worker. @returns undefined after the last part */
  take(signal: AbortSignal): Promise<TakenPart | undefined>;
}

/** A part whose workers died so often ends them: it is left for a person to look at. */
const mostDeaths = 5;
/** Seconds between looks at an empty queue. */
const pause = 0.5;
/** A job that a worker took but had not yet copied when it died expires; retention is meant to exceed any run. */
const settings = {
  schema: 'magface_queue',
  max: 1,
  schedule: false,
  maintenanceIntervalSeconds: 60,
  expireInSeconds: 60,
  retryLimit: 1000,
  retentionDays: 365,
} as const;

/** A job of the queue. */
interface PartJob {
  readonly part: number;
  /** Workers that died with it. */
  readonly deaths: number;
}

/**
 * @param address - `postgres://user:password@host/database`; the tables are made in a schema of their own
 * @throws {ConfigError} if pg-boss is not installed, or the server cannot be used
 */
export async function openQueue(address: string, { run, outputs, lease }: QueueOptions): Promise<PartQueue> {
  const boss = await openBoss(address);
  const name = `run-${digestOf(run)}`;
  try {
    await boss.createQueue(name);
    const open: number[] = [];
    for (const [at, output] of outputs.entries()) if (!(await isFinished(output))) open.push(at + 1);
    // A worker that comes later adds nothing: the ids are the same.
    await boss.insert(open.map((part) => ({ id: idOf(name, part), name, data: { part, deaths: 0 } })));
  } catch (error) {
    await boss.stop({ graceful: false });
    throw error;
  }
  return {
    take: async (signal) => {
      for (;;) {
        signal.throwIfAborted();
        const [job] = await boss.fetch<PartJob>(name);
        if (job !== undefined && job.data.deaths < mostDeaths) return takenPart(boss, { name, job, lease });
        if (job !== undefined) await boss.deleteJob(name, job.id);
        else if ((await boss.getQueueSize(name, { before: 'completed' })) === 0) return undefined;
        else await sleep(1000 * pause, undefined, { signal });
      }
    },
    [Symbol.asyncDispose]: async () => {
      const isOver = await boss.getQueueSize(name, { before: 'completed' }).then(
        (jobs) => jobs === 0,
        () => false,
      );
      // Refused if a worker that came late has just added parts: it removes the queue itself.
      if (isOver) await removeQueue(boss, name, outputs.length).catch(() => undefined);
      await boss.stop({ graceful: false });
    },
  };
}

async function openBoss(address: string): Promise<PgBoss> {
  const { default: Boss } = await import('pg-boss').catch((cause: unknown) => {
    const problem = 'it is not installed';
    throw new ConfigError(
      'queue',
      { expected: 'pg-boss for --queue', problem, remedy: 'npm install pg-boss@10' },
      { cause },
    );
  });
  const boss = new Boss({ connectionString: address, ...settings });
  boss.on('error', () => undefined); // of idle connections: the next query opens another
  try {
    await boss.start();
    return boss;
  } catch (cause) {
    await boss.stop({ graceful: false }).catch(() => undefined);
    const problem = `it cannot be used (${firstLine(cause)})`;
    const remedy = 'check the address, that the server runs, and that the user may create a schema';
    throw new ConfigError('queue', { expected: 'a PostgreSQL server for --queue', problem, remedy }, { cause });
  }
}

async function takenPart(
  boss: PgBoss,
  { name, job, lease }: { readonly name: string; readonly job: PgBoss.Job<PartJob>; readonly lease: number },
): Promise<TakenPart> {
  const { part, deaths } = job.data;
  const put = (data: PartJob, startAfter: number): Promise<string | null> => boss.send(name, data, { startAfter });
  const old: string[] = []; // copies that a later one replaces
  const renew = async (): Promise<void> => {
    const copy = await put({ part, deaths: deaths + 1 }, lease);
    if (old.length > 0) await boss.deleteJob(name, old);
    old.splice(0, old.length, ...(copy === null ? [] : [copy]));
  };
  await renew();
  // The first job of a part stays until the end, so that workers that come later do not add it again.
  if (job.id === idOf(name, part)) await boss.complete(name, job.id);
  else await boss.deleteJob(name, job.id);
  // A failed renewal is tried again; if it is too late, another worker finds the part locked.
  let renewing = Promise.resolve();
  const beat = setInterval(
    () => {
      renewing = renewing.then(renew).catch(() => undefined);
    },
    (1000 * lease) / 3,
  );
  const end = async (): Promise<void> => {
    clearInterval(beat);
    await renewing;
  };
  return {
    index: part,
    done: async () => {
      await end();
      await boss.deleteJob(name, old);
    },
    giveBack: async (seconds) => {
      await end();
      await put({ part, deaths }, seconds);
      await boss.deleteJob(name, old);
    },
  };
}

async function removeQueue(boss: PgBoss, name: string, parts: number): Promise<void> {
  const ids = Array.from({ length: parts }, (_, at) => idOf(name, at + 1));
  await boss.deleteJob(name, ids);
  await boss.deleteQueue(name);
}

const digestOf = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 32);

/** The same for the same part of a run, so that it enters the queue once. */
const idOf = (name: string, part: number): string =>
  digestOf([name, part]).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
