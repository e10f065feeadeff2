/** Loads the addon on first use, so that importing this package needs no addon. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import type { Binding } from './binding.ts';
import { type Built, currentFile, inPackage } from './build.ts';
import { LibtorchError } from './errors.ts';

let loaded: Binding | undefined;

/** The addon built on this machine, or undefined if `npx magface-torch` has not run yet. */
export function builtAddon(): Built | undefined {
  if (!existsSync(currentFile)) return undefined;
  const built = JSON.parse(readFileSync(currentFile, 'utf8')) as Built;
  return existsSync(inPackage(built.addon)) ? built : undefined;
}

/** @returns the addon, loaded once. */
export function native(): Binding {
  loaded ??= load();
  return loaded;
}

function load(): Binding {
  const built = builtAddon();
  if (built === undefined) {
    throw new LibtorchError({
      expected: 'the compiled addon of @magface/torch',
      problem: 'it is missing',
      remedy: 'run `npx magface-torch`, which finds libtorch or tells you how to get it',
    });
  }
  const named = process.env['LIBTORCH'];
  if (named !== undefined && named !== '' && resolve(named, 'lib') !== resolve(built.lib)) {
    throw new LibtorchError({
      expected: `an addon for the libtorch in ${named} (LIBTORCH)`,
      problem: `it was compiled against libtorch ${built.libtorch} in ${built.lib}`,
      remedy: 'run `npx magface-torch` again, or unset LIBTORCH',
    });
  }
  try {
    return createRequire(import.meta.url)(inPackage(built.addon)) as Binding;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const fault = {
      expected: `an addon for libtorch ${built.libtorch} (${built.from})`,
      problem: `it could not be loaded (${reason})`,
      remedy: 'run `npx magface-torch` again',
    };
    throw new LibtorchError(fault, { cause });
  }
}
