/** Checks before the work that a command can write its outputs, so that no results are lost. */
import { resolve } from 'node:path';
import { expectFileTarget, expectFolderTarget } from '../format/write-target.ts';
import type { Context } from './context.ts';

/** Paths by flag; undefined if the flag was not given. */
export interface Targets {
  readonly files?: Readonly<Record<string, string | undefined>>;
  /** Created if missing. */
  readonly folders?: Readonly<Record<string, string | undefined>>;
}

/** @throws {ConfigError} naming the first unwritable path, as the user typed it */
export async function expectTargets({ cwd }: Pick<Context, 'cwd'>, { files, folders }: Targets): Promise<void> {
  for (const [all, expectTarget] of [
    [files ?? {}, expectFileTarget],
    [folders ?? {}, expectFolderTarget],
  ] as const)
    for (const [key, given] of Object.entries(all))
      if (given !== undefined) await expectTarget(resolve(cwd, given), { key, given });
}
