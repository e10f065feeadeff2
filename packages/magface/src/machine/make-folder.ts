/** Makes folders level by level, since Node's `recursive` hangs on file systems that refuse folders, such as /proc. */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConfigError } from '../errors.ts';

/**
 * Makes a folder and its missing parents; existing folders stay as they are.
 *
 * @throws {ConfigError} if its file system refuses folders
 * @throws {Error} the system's own, such as EACCES or ENOSPC
 */
export async function makeFolder(path: string): Promise<void> {
  if (await isMade(path)) return;
  const above = dirname(path);
  await makeFolder(above);
  if (await isMade(path)) return;
  throw new ConfigError('folder', {
    expected: `to create the folder ${path}`,
    problem: `${above} does not allow folders`,
    remedy: 'choose another',
  });
}

/** @returns false if the system reports a missing parent, as /proc always does */
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
