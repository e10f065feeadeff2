import { fromArray, noGrad, scope } from '@magface/torch';
import { expect, test } from 'vitest';
import { WeightMean } from '../../../src/train/finetune/weight-mean.ts';
import { describeTraining } from '../golden.ts';

describeTraining('the mean of weights', () => {
  test('is that of the steps taken in; without any the weights stay', () => {
    using _scope = scope();
    using _ = noGrad();
    const weight = fromArray(Float32Array.of(1, 2)).clone();
    const mean = new WeightMean(new Map([['weight', weight]]));
    mean.apply();
    expect([...weight.toArray()]).toEqual([1, 2]);
    for (const values of [
      [1, 2],
      [3, 4],
      [8, 0],
    ]) {
      weight.copy_(fromArray(Float32Array.from(values)));
      mean.add();
    }
    mean.apply();
    expect([...weight.toArray()]).toEqual([4, 2]);
  });
});
