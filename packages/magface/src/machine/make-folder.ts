/** Folders made level by level: Node's own `recursive` never returns where a file system takes no folder, as /proc does. */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConfigError } from '../errors.ts';

/**
 * Makes a folder and those above it; one that is there already stays as it is.
 *
 * @throws {ConfigError} when its file system takes no folder
 * @throws {Error} the system's own, such as EACCES or ENOSPC
 */
export async function makeFolder(path: string): Promise<void> {
  if (await isMade(path)) return;
  const above = dirname(path);
  await makeFolder(above);
  if (await isMade(path)) return;
  const message = `Expected to make the folder ${path} but ${above} takes no folders: choose another place.`;
  throw new ConfigError('folder', message);
}

/** @returns false when the system says that the folder above is missing; /proc says so of every folder */
async function isMade(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST' && (await isFolder(path))) return true;
    if (code === 'ENOENT') return false;
    throw cause;
  }
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
