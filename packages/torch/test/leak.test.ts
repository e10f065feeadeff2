/** Memory that a training loop must not gain. */
import { aliveTensors, fromArray, scope, threads, zeros } from '@magface/torch';
import { expect, test } from 'vitest';
import { describeWithTorch } from './support/with-torch.ts';

const mebibytes = (): number => process.memoryUsage.rss() / 2 ** 20;

describeWithTorch('memory', () => {
  test('300 steps that make 12 MiB each, in scopes and with gradients, hold what 20 did', () => {
    threads(1);
    const weight = zeros([256, 256]).add(0.01);
    weight.requiresGrad = true;
    const images = new Float32Array(256 * 256);
    const step = (): void => {
      using _ = scope();
      let x = fromArray(images, [256, 256]);
      for (let i = 0; i < 20; i++) x = x.add(weight).relu();
      x.sum().backward();
      weight.grad = undefined;
    };
    for (let i = 0; i < 20; i++) step();
    const [tensors, before] = [aliveTensors(), mebibytes()];
    for (let i = 0; i < 300; i++) step();
    expect(aliveTensors()).toBe(tensors);
    expect(mebibytes() - before).toBeLessThan(0.05 * before + 20);
  });
});
