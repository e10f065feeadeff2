import { LibtorchError, RankLostError, ScopeError, TorchError, UseAfterFreeError } from '@magface/torch';
import { expect, test } from 'vitest';

const fault = { expected: 'a tensor', problem: 'it was freed', remedy: 'keep it' };

test.each([
  [
    'operator_refused',
    'TorchError',
    new TorchError('Expected a tensor but it was freed: keep it.', { operator: 'aten::add' }),
  ],
  ['used_after_free', 'UseAfterFreeError', new UseAfterFreeError(fault)],
  ['scope_misused', 'ScopeError', new ScopeError(fault)],
  ['libtorch_missing', 'LibtorchError', new LibtorchError(fault)],
  ['rank_lost', 'RankLostError', new RankLostError(fault, { missing: [1], cause: undefined })],
])('%s has its code', (code, name, error) => {
  expect(error).toMatchObject({ code, name, message: 'Expected a tensor but it was freed: keep it.' });
  if (name !== 'TorchError') expect(error).toMatchObject(fault);
});
