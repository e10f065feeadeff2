/** Failures of the optional package @magface/torch, in our own words. */
import { createRequire } from 'node:module';
import { MagfaceError } from '../errors.ts';

const training = '@magface/torch';

/** Converts errors of a missing optional package or libtorch to a typed error. */
export function asTrainingError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (error.name === 'RankLostError') return new MagfaceError('rank_lost', error.message, { cause: error });
  if (error.name === 'LibtorchError') return new MagfaceError('libtorch_missing', error.message, { cause: error });
  if ('code' in error && error.code === 'ERR_MODULE_NOT_FOUND' && !isInstalled(training)) {
    return new MagfaceError(
      'libtorch_missing',
      `Training needs the package ${training}: run npm install ${training}, then npx magface-torch.`,
      { cause: error },
    );
  }
  return error;
}

/** Another package may be missing instead, such as an import of the user's network. */
function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}
