/** The page as a folder that any web server can hand out: its own files, and the models beside them. */
import { existsSync } from 'node:fs';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MagfaceError } from '../errors.ts';
import { makeFolder } from '../machine/make-folder.ts';
import { type FolderSource, modelFolder } from '../models/model-folder.ts';

/** Where the build puts the page; from source (tests) too, since the page is always built. */
const built: string = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../dist/page/' : '../page/', import.meta.url),
);

export interface WritePageOptions {
  /** The models alone, for a page of one's own on `magface/browser`. @default false */
  readonly modelsOnly?: boolean | undefined;
  /** Where the page's files are. @default the package's own */
  readonly page?: string | undefined;
}

/**
 * @param output - a folder; made when it is not there, files of the same name are replaced
 * @param models - a recogniser, a detector and an aligner
 * @returns how many bytes the models are
 * @throws {MagfaceError} `page_not_built` in a checkout whose page was not built
 */
export async function writePage(
  output: string,
  models: readonly FolderSource[],
  { modelsOnly = false, page = built }: WritePageOptions = {},
): Promise<number> {
  if (!modelsOnly) {
    if (!existsSync(join(page, 'index.html'))) {
      const remedy = 'run `npm run build -w @magface/page`, or take the models alone with --models-only';
      throw new MagfaceError('page_not_built', `Expected the built page in ${page} but it is not there: ${remedy}.`);
    }
    await cp(page, output, { recursive: true });
  }
  const folder = join(output, 'models');
  await makeFolder(folder);
  const files = [...modelFolder(models)];
  for (const [name, bytes] of files) await writeFile(join(folder, name), bytes);
  return files.reduce((sum, [, bytes]) => sum + bytes.length, 0);
}
