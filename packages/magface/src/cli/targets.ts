/** Where a command will write, looked at before the work: what cannot be written is told at once, and nothing is lost. */
import { resolve } from 'node:path';
import { expectFileTarget, expectFolderTarget } from '../format/write-target.ts';
import type { Context } from './context.ts';

/** By the flag that named them; undefined where it was not given. */
export interface Targets {
  readonly files?: Readonly<Record<string, string | undefined>>;
  /** Made when they are not there. */
  readonly folders?: Readonly<Record<string, string | undefined>>;
}

/** @throws {ConfigError} naming the first that cannot be written, as the user called it */
export async function expectTargets({ cwd }: Pick<Context, 'cwd'>, { files, folders }: Targets): Promise<void> {
  for (const [all, expectTarget] of [
    [files ?? {}, expectFileTarget],
    [folders ?? {}, expectFolderTarget],
  ] as const)
    for (const [key, given] of Object.entries(all))
      if (given !== undefined) await expectTarget(resolve(cwd, given), { key, given });
}
