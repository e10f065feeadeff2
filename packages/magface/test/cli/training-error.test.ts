/** Failures of the optional package for training, in our words. `packed.test.ts` has the case where it is not installed. */
import { expect, test } from 'vitest';
import { asTrainingError } from '../../src/cli/training-error.ts';

const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });

test.each([
  ['RankLostError', 'rank_lost'],
  ['LibtorchError', 'libtorch_missing'],
])('%s becomes %s and keeps its message', (name, code) => {
  const error = named(name, 'Expected something: do this.');
  expect(asTrainingError(error)).toMatchObject({ code, message: error.message, cause: error });
});

test("passes on the error of another missing package, such as an import of the user's network", () => {
  const message = "Cannot find package 'left-pad' imported from my-net-on-@magface/torch.mjs";
  const error = Object.assign(new Error(message), { code: 'ERR_MODULE_NOT_FOUND' });
  expect(asTrainingError(error)).toBe(error);
});
