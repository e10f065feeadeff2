/** A copy of a folder as it was at one moment, though another process may be writing into it. */
import { constants } from 'node:fs';
import { cp, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from '../errors.ts';

export interface FolderCopy {
  readonly path: string;
  remove(): Promise<void>;
}

/** A writer that never pauses for as long as a copy takes is rare; it pauses between two faces. */
const attempts = 20;

/**
 * Copies again until nothing changed meanwhile. A database is whole at any such moment: what it has committed is in its
 * log, which it reads again when the copy is opened.
 *
 * @returns the copy, in the system's folder for temporary files and readable by this user alone
 * @throws {ConfigError} when the folder changes all the time
 */
export async function copyQuietFolder(folder: string): Promise<FolderCopy> {
  const place = await mkdtemp(join(tmpdir(), 'magface-gallery-'));
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
  throw new ConfigError(
    'gallery',
    `Expected the gallery ${folder} to rest for a moment but another process keeps writing to it: try again later.`,
  );
}

/** A file that was there when the folder was listed may be gone by now: the next attempt will not see it. */
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
