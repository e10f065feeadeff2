/**
 * Locks a folder across processes, containers and machines: galleries and training runs have one owner at a time.
 * A process first puts its own file into the folder, then looks for others, and removes its own if another owner is alive.
 * Since each writes before it looks, two can never both stay. An owner touches its file while it lives. A process number is
 * not enough, since every container has a process 1.
 */
import { randomUUID } from 'node:crypto';
import { readdir, readFile, readlink, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { ConfigError } from '../errors.ts';

/** The locked folder, for messages. */
export interface LockPurpose {
  /** The option that names the folder. */
  readonly key: string;
  /** `the gallery` */
  readonly what: string;
  /** What the owner does: `has it open`. */
  readonly use: string;
  /** What to do when another owner has it. */
  readonly remedy: string;
}

export interface LockOptions {
  /** Interval between signs of life, in milliseconds. @default 1000 */
  readonly beat?: number;
  /** Silence after which an owner counts as dead, in milliseconds. @default 30,000 */
  readonly silence?: number;
  /** Whether a separate thread gives the signs, for an owner with a busy main thread. @default false */
  readonly thread?: boolean;
}

export interface FolderLock extends AsyncDisposable {
  /** @throws {ConfigError} if this process stopped for so long that another took it for dead */
  expectHeld(): void;
  release(): Promise<void>;
}

const prefix = 'lock-';
const owner = z.object({ space: z.string(), pid: z.int(), host: z.string() });
type Owner = z.infer<typeof owner>;
type LockTimes = Required<Pick<LockOptions, 'beat' | 'silence'>>;

/** Two processes that ask at the same moment both retry after a random delay. */
const attempts = 5;

/** A folder has a living owner. */
export class FolderInUseError extends ConfigError {}

/** @throws {FolderInUseError} if the folder has a living owner */
export async function lockFolder(
  folder: string,
  purpose: LockPurpose,
  { beat = 1000, silence = 30_000, thread = false }: LockOptions = {},
): Promise<FolderLock> {
  for (let attempt = 1; ; attempt++) {
    const lock = await ask(folder, purpose, { beat, thread });
    const other = await livingOwner(folder, lock.file, { beat, silence }).catch(async (error: unknown) => {
      await lock.release();
      throw error;
    });
    if (other === undefined) return lock;
    await lock.release();
    if (attempt === attempts) throw await taken(folder, other, purpose);
    await sleep(beat * (0.05 + 0.2 * Math.random()));
  }
}

async function ask(
  folder: string,
  { key, what }: LockPurpose,
  { beat, thread }: { readonly beat: number; readonly thread: boolean },
): Promise<FolderLock & { readonly file: string }> {
  const file = join(folder, `${prefix}${randomUUID()}`);
  const self: Owner = { space: await processSpace(), pid: process.pid, host: hostname() };
  await writeFile(file, JSON.stringify(self), { flag: 'wx' });
  let lost = false;
  const onLost = (): void => {
    lost = true;
  };
  const stop = thread ? beatInThread(file, beat, onLost) : beatHere(file, beat, onLost);
  const release = async (): Promise<void> => {
    await stop();
    await rm(file, { force: true });
  };
  return {
    file,
    expectHeld: () => {
      if (!lost) return;
      throw new ConfigError(key, {
        expected: `${what} ${folder} to belong to this process`,
        problem: 'the process was suspended for so long that another took it over',
        remedy: 'start again',
      });
    },
    release,
    [Symbol.asyncDispose]: release,
  };
}

/** Touches the file repeatedly. @returns a function that stops it */
function beatHere(file: string, beat: number, onLost: () => void): () => Promise<void> {
  const timer = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') onLost();
    });
  }, beat).unref();
  return async () => clearInterval(timer);
}

/** The same in a thread. Its code is text, since threads cannot load TypeScript. */
function beatInThread(file: string, beat: number, onLost: () => void): () => Promise<void> {
  const code = `
    const { utimesSync } = require('node:fs');
    const { parentPort, workerData: { file, beat } } = require('node:worker_threads');
    setInterval(() => {
      const now = new Date();
      try { utimesSync(file, now, now); } catch (error) { if (error.code === 'ENOENT') parentPort.postMessage('lost'); }
    }, beat);`;
  // Without this process's options, since --input-type=module would make the text a module.
  const worker = new Worker(code, { eval: true, execArgv: [], workerData: { file, beat } });
  worker.on('message', onLost);
  worker.on('error', onLost);
  worker.unref();
  return async () => void (await worker.terminate());
}

/** Removes the files of dead owners. Each file has one owner, so this never affects a living one. */
async function livingOwner(folder: string, own: string, times: LockTimes): Promise<Owner | true | undefined> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(prefix));
  for (const file of names.map((name) => join(folder, name))) {
    if (file === own) continue;
    const found = await readOwner(file);
    if (await lives(file, found, times)) return found ?? true;
    await rm(file, { force: true });
  }
  return undefined;
}

/** @returns undefined for a file that is still empty or already removed */
const readOwner = (file: string): Promise<Owner | undefined> =>
  readFile(file, 'utf8')
    .then((text) => owner.parse(JSON.parse(text)))
    .catch(() => undefined);

/** In our own process space the system knows; elsewhere, or if the number may be reused, the next sign tells. */
async function lives(file: string, owner: Owner | undefined, { beat, silence }: LockTimes): Promise<boolean> {
  const first = await lastSign(file);
  if (first === undefined) return false;
  if (owner !== undefined && owner.space === (await processSpace())) {
    if (!isRunning(owner.pid)) return false;
    if (Math.abs(Date.now() - first) < 5 * beat) return true;
  }
  for (const end = performance.now() + silence; performance.now() < end; ) {
    await sleep(beat / 5);
    const sign = await lastSign(file);
    if (sign !== first) return sign !== undefined;
  }
  return false;
}

/** By the owner's clock, so only a change is meaningful. */
const lastSign = (file: string): Promise<number | undefined> =>
  stat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function taken(folder: string, other: Owner | true, purpose: LockPurpose): Promise<FolderInUseError> {
  const { key, what, use, remedy } = purpose;
  const own = other !== true && other.pid === process.pid && other.space === (await processSpace());
  const who = own ? 'this process' : other === true ? 'another process' : `process ${other.pid} of ${other.host}`;
  return new FolderInUseError(key, { expected: `${what} ${folder} to be unused`, problem: `${who} ${use}`, remedy });
}

let known: Promise<string> | undefined;

/** @returns the same text for all processes of one container since one boot */
export function processSpace(): Promise<string> {
  known ??= Promise.all([readFile('/proc/sys/kernel/random/boot_id', 'utf8'), readlink('/proc/self/ns/pid')]).then(
    ([boot, space]) => `${boot.trim()} ${space}`,
    () => hostname(), // not Linux, so no containers with process numbers of their own
  );
  return known;
}
