import { fromArray, Generator, gradients, scope, type Tensor, threads } from '@magface/torch';
import { expect, test } from 'vitest';
import { architecture } from '../../../src/train/model/architectures.ts';
import { fuseSteps } from '../../../src/train/model/fuse-steps.ts';
import { createNetwork } from '../../../src/train/model/network.ts';
import { describeTraining, u01 } from '../golden.ts';

test('a BatchNorm goes with the PReLU or the sum that alone reads it, and every layer runs once', () => {
  const { layers } = architecture('iresnet18', 512);
  const steps = fuseSteps(layers);
  const run = steps.flatMap(({ layer, norm }) => (norm === undefined ? [layer] : [norm, layer]));
  expect(new Set(run)).toEqual(new Set(layers));
  expect(run).toHaveLength(layers.length);

  const block = steps.filter(({ layer }) => layer.name.startsWith('layer2.0'));
  const names = block.map(({ layer, norm }) => (norm === undefined ? layer.name : `${norm.name} + ${layer.kind}`));
  expect(names.filter((name) => name.includes('+'))).toEqual(['layer2.0.bn2 + prelu', 'layer2.0.bn3 + add']);
  expect(names).toContain('layer2.0.bn1');
  expect(names).toContain('layer2.0.downsample.1');

  const written = new Set(['input']); // what a step reads was written by one before it
  for (const { layer, inputs } of steps) {
    for (const name of inputs) expect(written, `${name}, for ${layer.name}`).toContain(name);
    written.add(layer.output);
  }
});

describeTraining('a network with fused steps', () => {
  test.each(['iresnet18', 'mobilefacenet'])(
    '%s: features, gradients and statistics are those of single layers',
    (arch) => {
      threads(1);
      const [fused, single] = [true, false].map((isFused) => run(arch, isFused)) as [Results, Results];
      expect(difference(fused.features, single.features)).toBeLessThan(2e-5);
      expect(difference(fused.gradients, single.gradients)).toBeLessThan(3e-3);
      expect(difference(fused.statistics, single.statistics)).toBeLessThan(2e-5);
    },
  );
});

type Values = ReadonlyMap<string, Float32Array>;
type Results = Readonly<Record<'features' | 'gradients' | 'statistics', Values>>;

function run(arch: string, isFused: boolean): Results {
  using _ = scope();
  const network = createNetwork(architecture(arch, 32), 7);
  network.isFused = isFused;
  const images = fromArray(u01('fused', 4 * 3 * 112 ** 2), [4, 3, 112, 112]);
  const features = network.forward(images, { training: true, dropout: 0, generator: new Generator(1) });
  const parameters = [...network.parameters];
  const all = parameters.map(([, parameter]) => parameter);
  const found = gradients(features.square().mean(), all);
  const valuesOf = (tensors: Iterable<readonly [string, Tensor]>): Values =>
    new Map([...tensors].map(([name, tensor]) => [name, tensor.detach().toArray() as Float32Array]));
  return {
    features: valuesOf([['features', features]]),
    gradients: valuesOf(parameters.map(([name], i) => [name, found[i]!])),
    statistics: valuesOf([...network.tensors].filter(([, tensor]) => !tensor.requiresGrad)),
  };
}

/** Length of the difference, of the length of the whole: some tensors are nothing but rounding around 0. */
function difference(a: Values, b: Values): number {
  let [squares, whole] = [0, 0];
  for (const [name, values] of b) {
    const other = a.get(name)!;
    for (const [i, value] of values.entries()) {
      squares += (other[i]! - value) ** 2;
      whole += value ** 2;
    }
  }
  return Math.sqrt(squares / whole);
}
