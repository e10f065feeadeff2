/** Opens the library of a command's flags. */
import { join } from 'node:path';
import { ConfigError } from '../../errors.ts';
import { type Library, libraryIn } from '../../people/node/library.ts';

export interface LibraryFlags {
  readonly state?: string | undefined;
  readonly database?: string | undefined;
  readonly output?: string | undefined;
}

/** @returns the folder of a library that is in no database; undefined if nothing is to outlast the run */
export const stateFolder = ({ state, output }: LibraryFlags): string | undefined =>
  state ?? (output === undefined ? undefined : join(output, '.magface'));

/** @throws {ConfigError} if both a folder and a database are named, or it cannot be opened */
export async function openLibrary(flags: LibraryFlags): Promise<Library> {
  const { state, database } = flags;
  if (state !== undefined && database !== undefined)
    throw new ConfigError('database', {
      expected: 'one place for the library',
      received: '--state and --database',
      remedy: 'leave one out',
    });
  if (database !== undefined) {
    const { openLibraryDatabase } = await import('../../people/node/library-database.ts');
    return libraryIn(await openLibraryDatabase(database));
  }
  const folder = stateFolder(flags);
  if (folder === undefined) return libraryIn(undefined);
  const { openLibraryFolder } = await import('../../people/node/library-folder.ts');
  return libraryIn(await openLibraryFolder(folder));
}
