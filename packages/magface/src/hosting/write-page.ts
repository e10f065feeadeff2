/** Writes the page to a folder that any web server can serve: its files and the models. */
import { existsSync } from 'node:fs';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MagfaceError } from '../errors.ts';
import { makeFolder } from '../machine/make-folder.ts';
import { type FolderSource, modelFolder } from '../models/model-folder.ts';

/** Output folder of the page's build, also when running from source in tests. */
const built: string = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../dist/page/' : '../page/', import.meta.url),
);

export interface WritePageOptions {
  /** Write only the models, for your own page on `magface/browser`. @default false */
  readonly modelsOnly?: boolean | undefined;
  /** Folder of the built page. @default the page in this package */
  readonly page?: string | undefined;
}

/**
 * @param output - a folder, created if missing; files of the same name are overwritten
 * @param models - a recogniser, a detector and an aligner
 * @returns size of the models in bytes
 * @throws {MagfaceError} `page_not_built` in a checkout without the built page
 */
export async function writePage(
  output: string,
  models: readonly FolderSource[],
  { modelsOnly = false, page = built }: WritePageOptions = {},
): Promise<number> {
  if (!modelsOnly) {
    if (!existsSync(join(page, 'index.html'))) {
      const remedy = 'run `npm run build -w @magface/page`, or write only the models with --models-only';
      throw new MagfaceError('page_not_built', {
        expected: `the built page in ${page}`,
        problem: 'it is missing',
        remedy,
      });
    }
    await cp(page, output, { recursive: true });
  }
  const folder = join(output, 'models');
  await makeFolder(folder);
  const files = [...modelFolder(models)];
  for (const [name, bytes] of files) await writeFile(join(folder, name), bytes);
  return files.reduce((sum, [, bytes]) => sum + bytes.length, 0);
}
