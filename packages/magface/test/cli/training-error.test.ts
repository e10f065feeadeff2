/** Failures of the optional package for training, in our words. `packed.test.ts` has the case where it is not installed. */
import { expect, test } from 'vitest';
import { asTrainingError } from '../../src/cli/training-error.ts';

const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });

test.each([
  ['RankLostError', 'rank_lost'],
  ['LibtorchError', 'libtorch_missing'],
])('%s becomes %s with its own message', (name, code) => {
  const error = named(name, 'Expected something: do this.');
  expect(asTrainingError(error)).toMatchObject({ code, message: error.message, cause: error });
});

test('another package that is missing, such as one that a network of the user imports, stays what it is', () => {
  const message = "Cannot find package 'left-pad' imported from my-net-on-@magface/torch.mjs";
  const error = Object.assign(new Error(message), { code: 'ERR_MODULE_NOT_FOUND' });
  expect(asTrainingError(error)).toBe(error);
});
