import { fromArray, noGrad, scope } from '@magface/torch';
import { expect, test } from 'vitest';
import { WeightMean } from '../../../src/train/loop/weight-mean.ts';
import { describeTraining } from '../golden.ts';

describeTraining('the mean of weights', () => {
  test('is that of the steps taken in, as long as it is asked for; without any the weights stay', () => {
    using _scope = scope();
    using _ = noGrad();
    const weight = fromArray(Float32Array.of(1, 2)).clone();
    const mean = new WeightMean(new Map([['weight', weight]]));
    expect(mean.during(() => [...weight.toArray()])).toEqual([1, 2]);
    for (const values of [
      [1, 2],
      [3, 4],
      [8, 0],
    ]) {
      weight.copy_(fromArray(Float32Array.from(values)));
      mean.add();
    }
    expect(mean.during(() => [...weight.toArray()])).toEqual([4, 2]);
    expect([...weight.toArray()]).toEqual([8, 0]);
    const fail = (): never => expect.fail('as it may');
    expect(() => mean.during(fail)).toThrow('as it may');
    expect([...weight.toArray()]).toEqual([8, 0]);
  });

  test('with a decay keeps that share at each step, once as many steps are in it', () => {
    using _scope = scope();
    using _ = noGrad();
    const weight = fromArray(Float32Array.of(4)).clone();
    const mean = new WeightMean(new Map([['weight', weight]]), { decay: 0.75 });
    let expected = 0;
    for (const [i, value] of [4, 8, 0, 12, 16, 20].entries()) {
      weight.fill_(value);
      mean.add();
      expected += (value - expected) / Math.min(i + 1, 4); // the first four count alike
    }
    expect(mean.means.get('weight')!.item()).toBeCloseTo(expected, 5);
  });

  test('gives the initial weights their share, with and without a mean', () => {
    using _scope = scope();
    using _ = noGrad();
    const weight = fromArray(Float32Array.of(0, 8)).clone();
    const mean = new WeightMean(new Map([['weight', weight]]), { startShare: 0.25 });
    weight.copy_(fromArray(Float32Array.of(4, 0)));
    expect(mean.during(() => [...weight.toArray()])).toEqual([3, 2]);
    mean.add();
    weight.copy_(fromArray(Float32Array.of(12, 0)));
    mean.add();
    expect(mean.during(() => [...weight.toArray()])).toEqual([6, 2]);
    expect([...weight.toArray()]).toEqual([12, 0]);
  });
});
