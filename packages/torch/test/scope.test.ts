import { noGrad, ScopeError, scope, type Tensor, UseAfterFreeError, zeros } from '@magface/torch';
import { expect, test } from 'vitest';
import { describeWithTorch } from './support/with-torch.ts';

describeWithTorch('scopes', () => {
  test('free what was made inside and keep what is let out', () => {
    let lost: Tensor;
    let kept: Tensor;
    {
      using step = scope();
      lost = zeros([2]).add(1);
      kept = step.keep(lost.mul(3));
      expect(step.size).toBe(2);
    }
    expect([lost.disposed, kept.disposed]).toEqual([true, false]);
    expect([...kept.toArray()]).toEqual([3, 3]);
    expect(() => lost.mul(2)).toThrow(UseAfterFreeError);
    expect(() => lost.mul(2)).toThrow(/the one made by aten::add.Scalar was freed/);
  });

  test('pass on what an inner scope keeps to the outer one', () => {
    let kept: Tensor;
    {
      using _outer = scope();
      {
        using inner = scope();
        kept = inner.keep(zeros([1]));
      }
      expect(kept.disposed).toBe(false);
    }
    expect(kept.disposed).toBe(true);
  });

  test('free on an early throw', () => {
    let made: Tensor | undefined;
    const fail = (): void => {
      using _ = scope();
      made = zeros([1]);
      throw new Error('early');
    };
    expect(fail).toThrow('early');
    expect(made?.disposed).toBe(true);
  });

  test('throw if closed out of order, and still free', () => {
    const outer = scope();
    const inner = scope();
    const made = zeros([1]);
    expect(() => outer[Symbol.dispose]()).toThrow(ScopeError);
    inner[Symbol.dispose]();
    expect(made.disposed).toBe(true);
  });

  test('throw if held across an await', async () => {
    const step = scope();
    await Promise.resolve();
    expect(() => step[Symbol.dispose]()).toThrow(/close before the next `await`/);
  });

  test('free tensors that autograd still needs without breaking it', () => {
    const x = zeros([2]).add(3);
    x.requiresGrad = true;
    let loss: Tensor;
    {
      using step = scope();
      loss = step.keep(x.square().sum());
    }
    loss.backward();
    expect([...(x.grad?.toArray() ?? [])]).toEqual([6, 6]);
  });

  test('noGrad ends with its block', () => {
    const x = zeros([1]);
    x.requiresGrad = true;
    {
      using _ = noGrad();
      expect(x.mul(2).requiresGrad).toBe(false);
    }
    expect(x.mul(2).requiresGrad).toBe(true);
  });
});
