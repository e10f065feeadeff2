/** Loads the addon on first use, so that importing this package asks for nothing. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import type { Binding } from './binding.ts';
import { type Built, currentFile, inPackage } from './build.ts';
import { LibtorchError } from './errors.ts';

let loaded: Binding | undefined;

/** What is built on this machine, or undefined before `npx magface-torch`. */
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
    throw new LibtorchError(
      'Expected the addon of @magface/torch to be compiled but it is not: run `npx magface-torch` (it finds libtorch, or says how to get it).',
    );
  }
  const named = process.env['LIBTORCH'];
  if (named !== undefined && named !== '' && resolve(named, 'lib') !== resolve(built.lib)) {
    throw new LibtorchError(
      `LIBTORCH is ${named} but the addon was compiled over libtorch ${built.libtorch} of ${built.lib}: run \`npx magface-torch\` again, or unset LIBTORCH.`,
    );
  }
  try {
    return createRequire(import.meta.url)(inPackage(built.addon)) as Binding;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LibtorchError(
      `The addon over libtorch ${built.libtorch} (${built.from}) cannot be loaded (${reason}): run \`npx magface-torch\` again.`,
      { cause },
    );
  }
}
