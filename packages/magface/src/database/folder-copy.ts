/** Takes a consistent copy of a folder that another process may be writing to. */
import { constants } from 'node:fs';
import { cp, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from '../errors.ts';
import type { LockPurpose } from '../machine/folder-lock.ts';

export interface FolderCopy {
  readonly path: string;
  remove(): Promise<void>;
}

/** Writers pause between faces; one that never pauses for as long as a copy is rare. */
const attempts = 20;

/**
 * Repeats the copy until nothing changes during it. A database is then consistent: its commits are in its log,
 * which is replayed when the copy is opened.
 *
 * @returns the copy, in the system's folder for temporary files and readable by this user alone
 * @throws {ConfigError} if the folder keeps changing
 */
export async function copyQuietFolder(folder: string, { key, what }: LockPurpose): Promise<FolderCopy> {
  const place = await mkdtemp(join(tmpdir(), 'magface-database-'));
  const copy = { path: join(place, 'copy'), remove: () => rm(place, { recursive: true, force: true }) };
  try {
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (attempt > 0) await sleep(100 * Math.random());
      const before = await signsOf(folder);
      const whole = await cp(folder, copy.path, { recursive: true, mode: constants.COPYFILE_FICLONE }).then(
        () => true,
        expectGone,
      );
      if (whole && (await signsOf(folder)) === before) return copy;
      await rm(copy.path, { recursive: true, force: true });
    }
  } catch (error) {
    await copy.remove();
    throw error;
  }
  await copy.remove();
  throw new ConfigError(key, {
    expected: `${what} ${folder} to be unchanged for a moment`,
    problem: 'another process keeps writing to it',
    remedy: 'try again later',
  });
}

/** A listed file may have been deleted since: the next attempt will not see it. */
function expectGone(error: NodeJS.ErrnoException): false {
  if (error.code !== 'ENOENT') throw error;
  return false;
}

/** Names, sizes and times of everything in the folder, as one text. */
async function signsOf(folder: string): Promise<string> {
  const names = (await readdir(folder, { recursive: true })).sort();
  const signs = names.map(async (name) => {
    const found = await stat(join(folder, name), { bigint: true }).catch(() => undefined);
    return `${name} ${found?.size} ${found?.mtimeNs}`;
  });
  return (await Promise.all(signs)).join('\n');
}
