/** Failures of the optional package for training, in our words. `packed.test.ts` has the case where it is not installed. */
import { expect, test } from 'vitest';
import { asTrainingError } from '../../src/cli/training-error.ts';

const fault = { expected: 'something', problem: 'it is missing', remedy: 'do this' };

test.each([
  ['RankLostError', 'rank_lost'],
  ['LibtorchError', 'libtorch_missing'],
])('%s becomes %s and keeps its message', (name, code) => {
  const error = Object.assign(new Error('Expected something but it is missing: do this.'), { name, ...fault });
  expect(asTrainingError(error)).toMatchObject({ code, ...fault, message: error.message, cause: error });
});

test("passes on the error of another missing package, such as an import of the user's network", () => {
  const message = "Cannot find package 'left-pad' imported from my-net-on-@magface/torch.mjs";
  const error = Object.assign(new Error(message), { code: 'ERR_MODULE_NOT_FOUND' });
  expect(asTrainingError(error)).toBe(error);
});
