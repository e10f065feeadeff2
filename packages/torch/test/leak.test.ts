/** Memory that a training loop must not gain. */
import { aliveTensors, fromArray, scope, threads, zeros } from '@magface/torch';
import { expect, test } from 'vitest';
import { describeWithTorch } from './support/with-torch.ts';

const mebibytes = (): number => process.memoryUsage.rss() / 2 ** 20;

describeWithTorch('memory', () => {
  test('holds no more after 300 steps of 12 MiB, in scopes and with gradients, than after 20', () => {
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
