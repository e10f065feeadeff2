/** Failures of the optional package @magface/torch, in our own words. */
import { MagfaceError } from '../errors.ts';

/** What the optional package says when it or libtorch is not there, as an error that the program knows. */
export function asTrainingError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (error.name === 'RankLostError') return new MagfaceError('rank_lost', error.message, { cause: error });
  if (error.name === 'LibtorchError') return new MagfaceError('libtorch_missing', error.message, { cause: error });
  if ('code' in error && error.code === 'ERR_MODULE_NOT_FOUND' && error.message.includes('@magface/torch')) {
    return new MagfaceError(
      'libtorch_missing',
      'Training needs the package @magface/torch: npm install @magface/torch, then npx magface-torch.',
      { cause: error },
    );
  }
  return error;
}
