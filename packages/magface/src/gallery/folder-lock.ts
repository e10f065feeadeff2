/**
 * One owner of a folder at a time, whichever process, container or machine asks. Who asks puts a file of its own there and
 * then looks: beside another that lives it takes its own away. Each comes before it looks, so that two never both stay.
 * An owner touches its file while it lives. A number of a process tells little, since every container has a process 1.
 */
import { randomUUID } from 'node:crypto';
import { readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { ConfigError } from '../errors.ts';
import { processSpace } from './process-space.ts';

/** Milliseconds. */
export interface LockTimes {
  /** Between two signs of life. @default 1000 */
  readonly beat?: number;
  /** Without a sign after which an owner counts as dead: longer than any work keeps its thread busy. @default 30,000 */
  readonly silence?: number;
}

export interface FolderLock {
  /** @throws {ConfigError} when this process stood still for so long that it was taken for dead */
  expectHeld(): void;
  release(): Promise<void>;
}

const prefix = 'lock-';
const owner = z.object({ space: z.string(), pid: z.int(), host: z.string() });
type Owner = z.infer<typeof owner>;

/** Two that ask in the same moment both step back; by chance one comes first then. */
const attempts = 5;

/** @throws {ConfigError} when the folder has an owner that lives */
export async function lockFolder(
  folder: string,
  { beat = 1000, silence = 30_000 }: LockTimes = {},
): Promise<FolderLock> {
  for (let attempt = 1; ; attempt++) {
    const lock = await ask(folder, beat);
    const other = await livingOwner(folder, lock.file, { beat, silence });
    if (other === undefined) return lock;
    await lock.release();
    if (attempt === attempts) throw await taken(folder, other);
    await sleep(beat * (0.05 + 0.2 * Math.random()));
  }
}

async function ask(folder: string, beat: number): Promise<FolderLock & { readonly file: string }> {
  const file = join(folder, `${prefix}${randomUUID()}`);
  const self: Owner = { space: await processSpace(), pid: process.pid, host: hostname() };
  await writeFile(file, JSON.stringify(self), { flag: 'wx' });
  let lost = false;
  const timer = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch((error: NodeJS.ErrnoException) => {
      lost ||= error.code === 'ENOENT';
    });
  }, beat).unref();
  return {
    file,
    expectHeld: () => {
      if (!lost) return;
      const message = `Expected the gallery ${folder} to be this process's own but it stood still for long and was taken for dead: start it again.`;
      throw new ConfigError('gallery', message);
    },
    release: async () => {
      clearInterval(timer);
      await rm(file, { force: true });
    },
  };
}

/** Files of the dead are cleared away: each is one owner's, so that none of the living can be meant. */
async function livingOwner(folder: string, own: string, times: Required<LockTimes>): Promise<Owner | true | undefined> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(prefix));
  for (const file of names.map((name) => join(folder, name))) {
    if (file === own) continue;
    const parsed = owner.safeParse(await readFile(file, 'utf8').then(JSON.parse, () => undefined));
    if (await lives(file, parsed.data, times)) return parsed.data ?? true;
    await rm(file, { force: true });
  }
  return undefined;
}

/** In our own space the system knows; elsewhere, and where a number may be another's by now, the next sign tells. */
async function lives(file: string, owner: Owner | undefined, { beat, silence }: Required<LockTimes>): Promise<boolean> {
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

/** By the owner's clock, so that only a change of it means something. */
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

async function taken(folder: string, other: Owner | true): Promise<ConfigError> {
  const own = other !== true && other.pid === process.pid && other.space === (await processSpace());
  const who = own ? 'this process' : other === true ? 'another process' : `process ${other.pid} of ${other.host}`;
  const message = `Expected the gallery ${folder} to be free but ${who} has it open: stop that, or keep galleries that several share in PostgreSQL.`;
  return new ConfigError('gallery', message);
}
