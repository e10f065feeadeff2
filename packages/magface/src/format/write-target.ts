/** Checks in advance whether a file or folder can be written. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConfigError } from '../errors.ts';

/**
 * @param path - undefined if the option was not given
 * @param key - the option that names it
 * @throws {ConfigError} if its folder is missing, or the path is a folder
 */
export async function expectFileTarget(path: string | undefined, key = 'output'): Promise<void> {
  if (path === undefined) return;
  const refuse = refuser(key, `to write ${path}`);
  const there = await kindOf(path);
  if (there === 'folder') throw refuse('it is a folder', 'name a file in it');
  const folder = dirname(path);
  const above = await kindOf(folder);
  if (above === 'nothing') throw refuse(`the folder ${folder} does not exist`, 'create it, or choose another');
  if (above === 'file') throw refuse(`${folder} is not a folder`, 'choose another path');
  // Anything else, such as /dev/stdout, is written in place.
  const written = there === 'other' ? path : folder;
  if (!(await isWritable(written))) throw refuse(`the folder ${folder} cannot be written to`, 'choose another');
}

/** The folder itself may be missing and is made later. @throws {ConfigError} if it cannot be made */
export async function expectFolderTarget(path: string | undefined, key = 'output'): Promise<void> {
  if (path === undefined) return;
  const refuse = refuser(key, `to write into the folder ${path}`);
  for (let at = path; ; at = dirname(at)) {
    const kind = await kindOf(at);
    if (kind === 'nothing' && dirname(at) !== at) continue;
    if (kind !== 'folder') throw refuse(`${at} is not a folder`, 'choose another');
    if (!(await isWritable(at))) throw refuse(`the folder ${at} cannot be written to`, 'choose another');
    return;
  }
}

const refuser =
  (key: string, expected: string) =>
  (problem: string, remedy: string): ConfigError =>
    new ConfigError(key, { expected, problem, remedy });

async function kindOf(path: string): Promise<'file' | 'folder' | 'other' | 'nothing'> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return 'nothing';
  return found.isDirectory() ? 'folder' : found.isFile() ? 'file' : 'other';
}

const isWritable = (path: string): Promise<boolean> =>
  access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
