import { fromArray, Generator, noGrad, scope } from '@magface/torch';
import { expect, test } from 'vitest';
import { ConfigError } from '../../../src/errors.ts';
import { architecture } from '../../../src/graph/networks/architectures.ts';
import { stateDictSize } from '../../../src/graph/networks/builder.ts';
import type { IResNetName } from '../../../src/graph/networks/iresnet.ts';
import { createNetwork } from '../../../src/graph/torch/network.ts';
import { fixtureJson } from '../../support/fixtures.ts';
import { describeTraining, goldenTensor, u01 } from '../../train/golden.ts';

interface GoldenNetwork {
  readonly params: number;
  readonly tensors: number;
  readonly features: readonly (readonly number[])[];
  readonly norm: readonly number[];
}

const countOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

describeTraining('iResNet as the official one', () => {
  const golden = fixtureJson<Record<IResNetName, GoldenNetwork>>('golden/iresnet.json');

  test.each(Object.keys(golden) as IResNetName[])('%s: counts, and features to 1e-4 of the magnitude', (name) => {
    using _scope = scope();
    using _grad = noGrad();
    const expected = golden[name];
    const description = architecture(name);
    const specs = description.tensors;
    const learned = specs.filter(({ trainable }) => trainable);
    expect(learned.reduce((sum, { shape }) => sum + countOf(shape), 0)).toBe(expected.params);
    expect(stateDictSize(description)).toBe(expected.tensors);

    const values = new Map(specs.map((spec) => [spec.name, goldenTensor(spec.name, spec.shape)]));
    const network = createNetwork(description, values);
    const images = fromArray(u01('input', 2 * 3 * 112 * 112), [2, 3, 112, 112]);
    const features = network.forward(images, { training: false });
    for (const [i, row] of expected.features.entries()) {
      const norm = expected.norm[i]!;
      expect(features.norm(2, 1).toArray()[i]).toBeCloseTo(norm, -Math.log10(norm * 2e-4));
      const actual = features.narrow(0, i, 1).toArray();
      const worst = Math.max(...row.map((value, j) => Math.abs(Number(actual[j]) - value)));
      expect(worst / norm).toBeLessThan(1e-4);
    }
    for (const tensor of network.tensors.values()) tensor.dispose();
  });
});

describeTraining('a network at its start', () => {
  test('is the official initialisation: magnitudes near the square root of 512', () => {
    using _ = scope();
    const network = createNetwork(architecture('iresnet18'), 3);
    const spread = (name: string): number => Number(network.tensors.get(name)!.square().mean().sqrt().item());
    expect(spread('layer1.0.conv1.weight')).toBeCloseTo(Math.sqrt(2 / (64 * 9)), 3);
    expect(spread('fc.weight')).toBeCloseTo(1 / Math.sqrt(25088) / Math.sqrt(3), 5);
    expect(spread('fc.bias')).toBeLessThan(1 / Math.sqrt(25088));
    expect(network.tensors.get('prelu.weight')!.toArray()[0]).toBe(0.25);
    const images = fromArray(u01('start', 4 * 3 * 112 * 112), [4, 3, 112, 112]);
    const features = network.forward(images, { training: true, generator: new Generator(1) });
    expect(features.norm(2, 1).mean().item()).toBeCloseTo(22.6, 0);
    expect(network.batches).toBe(1);
  });

  test('is the same for the same seed and another for another', () => {
    const start = (seed: number) =>
      createNetwork(architecture('mobilefacenet'), seed).tensors.get('conv1.conv.weight')!.toArray();
    expect(start(1)).toEqual(start(1));
    expect(start(1)).not.toEqual(start(2));
  });

  test('MobileFaceNet has about a million parameters and 512 features', () => {
    using _scope = scope();
    using _grad = noGrad();
    const description = architecture('mobilefacenet');
    const learned = description.tensors.filter(({ trainable }) => trainable);
    expect(learned.reduce((sum, { shape }) => sum + countOf(shape), 0)).toBe(1_201_024);
    const features = createNetwork(description, 1).forward(fromArray(u01('m', 3 * 112 ** 2), [1, 3, 112, 112]), {
      training: false,
    });
    expect(features.shape).toEqual([1, 512]);
  });
});

test('an unknown arch is refused with the names there are', () => {
  expect(() => architecture('resnet100')).toThrow(ConfigError);
  expect(() => architecture('resnet100')).toThrow(
    /iresnet18, iresnet34, iresnet50, iresnet100, iresnet200, mobilefacenet, /,
  );
});
