/** What one rank meets, all ranks answer alike. */
import { scope } from '@magface/torch';
import { expect, test } from 'vitest';
import { LossScale } from '../../../src/train/loop/loss-scale.ts';
import { describeTraining } from '../golden.ts';
import type { Case, StepTrace } from './rank-steps.ts';
import { runRanks } from './run-ranks.ts';
import { tinyTrainer } from './tiny.ts';

test('the loss scale is halved by a skipped step and doubled after 2000 others', () => {
  const scale = new LossScale(8);
  scale.update(true);
  expect(scale.state).toEqual({ value: 4, steps: 0 });
  for (let step = 0; step < 1999; step++) scale.update(false);
  expect(scale.value).toBe(4);
  scale.update(false);
  expect(scale.state).toEqual({ value: 8, steps: 0 });
});

describeTraining('ranks that decide together', () => {
  test("an overflow in one rank's centers skips the step on all, and they stay equal to the bit", async () => {
    const overflow: Case = { lossScale: 2 ** 98, shortCenterOn: 1 };
    const [first, second] = (
      await runRanks(new URL('rank-steps.ts', import.meta.url), 2, [JSON.stringify(overflow)])
    ).map((printed) => (JSON.parse(printed) as StepTrace[][])[0]!);
    const reasons = first!.map(({ skipped }) => skipped);
    expect(second!.map(({ skipped }) => skipped)).toEqual(reasons);
    expect(reasons[0]).toMatch(/first not finite: the gradient of fc.weight/);
    expect(Number.isFinite(first![0]!.loss)).toBe(true);

    using _ = scope();
    const untouched = [...tinyTrainer().network.tensors.values()].map((tensor) => tensor.detach().sum().item());
    const network = ({ state }: StepTrace): readonly number[] => state.slice(0, -1);
    expect(network(first![0]!)).toEqual(untouched);
    for (const [step, trace] of first!.entries()) expect(network(second![step]!)).toEqual(network(trace));
  });
});
