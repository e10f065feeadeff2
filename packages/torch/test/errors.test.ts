import { LibtorchError, RankLostError, ScopeError, TorchError, UseAfterFreeError } from '@magface/torch';
import { expect, test } from 'vitest';

test.each([
  ['operator_refused', 'TorchError', new TorchError('no', { operator: 'aten::add' })],
  ['used_after_free', 'UseAfterFreeError', new UseAfterFreeError('no')],
  ['scope_misused', 'ScopeError', new ScopeError('no')],
  ['libtorch_missing', 'LibtorchError', new LibtorchError('no')],
  ['rank_lost', 'RankLostError', new RankLostError('no', { missing: [1], cause: undefined })],
])('%s has its code', (code, name, error) => {
  expect(error).toMatchObject({ code, name, message: 'no' });
});
