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
  try {
    await mkdir(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST' && (await isFolder(path))) return;
    if (code !== 'ENOENT') throw cause;
    const above = dirname(path);
    if (await isFolder(above)) {
      const message = `Expected to make the folder ${path} but ${above} takes no folders: choose another place.`;
      throw new ConfigError('folder', message, { cause });
    }
    await makeFolder(above);
    await makeFolder(path);
  }
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
