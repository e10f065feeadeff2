/** Failures of the optional package @magface/torch, in our own words. */
import { createRequire } from 'node:module';
import { MagfaceError } from '../errors.ts';
import type { Fault } from '../fault.ts';

const training = '@magface/torch';

/** Converts errors of a missing optional package or libtorch to a typed error. */
export function asTrainingError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (error.name === 'RankLostError') return new MagfaceError('rank_lost', faultOf(error), { cause: error });
  if (error.name === 'LibtorchError') return new MagfaceError('libtorch_missing', faultOf(error), { cause: error });
  if ('code' in error && error.code === 'ERR_MODULE_NOT_FOUND' && !isInstalled(training)) {
    return new MagfaceError(
      'libtorch_missing',
      {
        problem: `training needs the package ${training}`,
        remedy: `run npm install ${training}, then npx magface-torch`,
      },
      { cause: error },
    );
  }
  return error;
}

/** The package may be missing, so its types are not known here; its errors have the fields of ours. */
const faultOf = (error: Error): Fault => error as Error & Fault;

/** Another package may be missing instead, such as an import of the user's network. */
function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}
