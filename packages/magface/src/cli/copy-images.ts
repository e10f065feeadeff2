/** Copies of chosen images in one folder, where two may have the same name. */
import { constants } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join, parse } from 'node:path';
import { makeFolder } from '../machine/make-folder.ts';
import { type Context, note } from './context.ts';

/** Appends a number to a name in use, also from earlier runs: `a.jpg`, `a-2.jpg`. Skips addresses. */
export async function copyImages(
  paths: readonly string[],
  folder: string,
  context: Pick<Context, 'stderr'>,
): Promise<void> {
  await makeFolder(folder);
  for (const path of paths) {
    if (/^https?:/i.test(path)) note(context, `Not copied, since it is no file: ${path}`);
    else await copyNumbered(path, folder);
  }
}

async function copyNumbered(path: string, folder: string): Promise<void> {
  const { name, ext } = parse(path);
  for (let number = 1; ; number++) {
    const free = join(folder, number === 1 ? name + ext : `${name}-${number}${ext}`);
    try {
      return await copyFile(path, free, constants.COPYFILE_EXCL);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}
