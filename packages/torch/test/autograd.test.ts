import { autocast, fromArray, Generator, gradients, Sgd, zeros } from '@magface/torch';
import { expect, test } from 'vitest';
import { describeWithTorch } from './support/with-torch.ts';

describeWithTorch('gradients, precision, randomness and SGD', () => {
  test('gradients() does not touch grad, and gives undefined where nothing depends', () => {
    const [x, y] = [fromArray(new Float32Array([2, 3])), zeros([1])];
    x.requiresGrad = true;
    y.requiresGrad = true;
    const [byX, byY] = gradients(x.pow(3).sum(), [x, y]);
    expect([...(byX?.toArray() ?? [])]).toEqual([12, 27]);
    expect(byY).toBeUndefined();
    expect(x.grad).toBeUndefined();
  });

  test('autocast ends with its block, nests, and can be turned off inside', () => {
    const x = zeros([2, 2]);
    const dtype = (): string => x.matmul(x).dtype;
    {
      using _outer = autocast('bfloat16');
      expect(dtype()).toBe('bfloat16');
      {
        using _off = autocast(null);
        expect(dtype()).toBe('float32');
      }
      expect(dtype()).toBe('bfloat16');
    }
    expect(dtype()).toBe('float32');
  });

  test('a generator continues from its saved state', () => {
    const generator = new Generator(7);
    const draw = (from: Generator): number[] => [...zeros([4]).uniform_({ generator: from }).toArray()].map(Number);
    draw(generator);
    const state = generator.save();
    const next = draw(generator);
    const other = new Generator(0);
    other.restore(state);
    expect(draw(other)).toEqual(next);
  });

  test('SGD is v = momentum v + g + decay p, p = p - lr v', () => {
    const p = fromArray(new Float32Array([1, -2]));
    p.requiresGrad = true;
    const sgd = new Sgd([p]);
    let [expected, velocity] = [
      [1, -2],
      [0, 0],
    ];
    for (let step = 0; step < 3; step++) {
      sgd.zeroGrad();
      p.square().sum().mul(4).backward();
      sgd.step({ lr: 0.1, momentum: 0.9, weightDecay: 0.01, gradientScale: 0.25 });
      velocity = velocity.map((v, i) => 0.9 * v + 2 * expected[i]! + 0.01 * expected[i]!);
      expected = expected.map((value, i) => value - 0.1 * velocity[i]!);
    }
    [...p.toArray()].forEach((value, i) => void expect(Number(value)).toBeCloseTo(expected[i]!, 5));
  });

  test('gradientNorms finds the parameter whose gradient is not finite', () => {
    const [good, bad, none] = [fromArray(new Float32Array([3, 4])), zeros([2]), zeros([1])];
    for (const parameter of [good, bad, none]) parameter.requiresGrad = true;
    const sgd = new Sgd([good, bad, none]);
    good.square().sum().mul(0.5).add(bad.sqrt().sum()).backward();
    expect([...sgd.gradientNorms()]).toEqual([5, Number.POSITIVE_INFINITY, 0]);
  });
});
