import { fromArray, Generator, gradients, scope, type Tensor, threads } from '@magface/torch';
import { expect, test } from 'vitest';
import { architecture } from '../../../src/graph/networks/architectures.ts';
import { createNetwork } from '../../../src/graph/torch/network.ts';
import { stepsOf } from '../../../src/graph/torch/steps.ts';
import { numbersOf, translated } from '../../../src/graph/torch/translate.ts';
import { describeTraining, u01 } from '../../train/golden.ts';

test('a BatchNorm goes with the PReLU or the sum that alone reads it, and every layer runs once', () => {
  const { nodes, constants, name } = architecture('iresnet18', 512);
  const found = translated(nodes, { name, opset: 17, numbers: numbersOf(constants, name) });
  const single = stepsOf(found, false);
  expect(single.map(({ writes }) => writes)).toEqual(nodes.map(({ output }) => output[0]));

  const steps = stepsOf(found, true);
  const left = nodes.map(({ output }) => output[0]!).filter((value) => !steps.some(({ writes }) => writes === value));
  const block = left.filter((value) => value.startsWith('layer2.0'));
  expect(block).toEqual(['layer2.0.bn2', 'layer2.0.bn3']); // not bn1, before a convolution, nor the shortcut's
  expect(steps.length + left.length).toBe(nodes.length);
  const prelu = steps.find(({ writes }) => writes === 'layer2.0.prelu')!;
  const parts = ['weight', 'bias', 'running_mean', 'running_var'].map((part) => `layer2.0.bn2.${part}`);
  expect(prelu.reads).toEqual(['layer2.0.conv1', ...parts, 'layer2.0.prelu.weight']);

  const written = new Set(['input']); // what a step reads was written by one before it
  for (const { reads, writes } of steps) {
    for (const value of reads.filter((one) => nodes.some(({ output }) => output[0] === one)))
      expect(written, `${value}, for ${writes}`).toContain(value);
    written.add(writes);
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
  const parameters = [...network.weights];
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
