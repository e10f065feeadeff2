/** AdamW against PyTorch's own in double precision; resuming in trainer.test.ts. */
import { fromArray, noGrad, scope, type Tensor, zeros } from '@magface/torch';
import { expect, test } from 'vitest';
import { createOptimizer, decayGroups, keptNamed } from '../../../src/train/model/optimizer.ts';
import { fixtureJson } from '../../support/fixtures.ts';
import { describeTraining, u01 } from '../golden.ts';

const golden = fixtureJson<{
  readonly shapes: Readonly<Record<'a' | 'b', readonly number[]>>;
  readonly cases: readonly {
    readonly settings: Readonly<Record<'lr' | 'momentum' | 'beta2' | 'weightDecay', number>> & {
      readonly decayBiasAndNorm?: false;
    };
    readonly steps: readonly Readonly<Record<'a' | 'b', readonly number[]>>[];
  }[];
}>('optimizers/adamw.json');
const names = ['a', 'b'] as const;

function values(name: 'a' | 'b', tag: string, less: number): Tensor {
  const shape = golden.shapes[name];
  const count = shape.reduce((product, size) => product * size, 1);
  return fromArray(
    u01(tag, count).map((u) => u - less),
    shape,
  );
}

describeTraining('AdamW', () => {
  test.each(golden.cases)('takes the steps of torch.optim.AdamW: $settings', ({ settings, steps }) => {
    using _ = scope();
    for (const gradientScale of [1, 1 / 1024]) {
      const parameters = names.map((name) => {
        const leaf = values(name, `adamw/${name}`, 0.5);
        leaf.requiresGrad = true;
        return leaf;
      });
      const weights = new Map(names.map((name, i) => [name, parameters[i]!]));
      const groups = settings.decayBiasAndNorm === false ? decayGroups(weights) : [{ decays: true, weights }];
      const optimizers = groups.map(({ decays, weights }) => ({
        adamw: createOptimizer('adamw', [...weights.values()]),
        weightDecay: decays ? settings.weightDecay : 0,
      }));
      for (const [t, expected] of steps.entries()) {
        for (const [i, name] of names.entries())
          parameters[i]!.grad = values(name, `adamw/${name}/${t}`, 0.4).mul(1 / gradientScale);
        for (const { adamw, weightDecay } of optimizers)
          adamw.step({ ...settings, weightDecay, gradientScale, step: t + 1 });
        for (const [i, name] of names.entries()) {
          const own = parameters[i]!.toArray();
          for (const [j, value] of expected[name].entries()) expect(Number(own[j])).toBeCloseTo(value, 6);
        }
      }
    }
  });

  test('biases and vectors do not decay as in timm, nor slopes of ONNX', () => {
    using _ = scope();
    const shapes = { 'conv.weight': [4, 3, 1, 1], 'depthwise.weight': [4, 1, 3, 3], 'bn.weight': [4], 'fc.bias': [1, 4], slope: [4, 1, 1], one: [] }; // biome-ignore format: a list
    const weights = new Map(Object.entries(shapes).map(([name, shape]) => [name, zeros(shape)]));
    expect(decayGroups(weights).map(({ decays, weights }) => [decays, [...weights.keys()]])).toEqual([
      [true, ['conv.weight', 'depthwise.weight']],
      [false, ['bn.weight', 'fc.bias', 'slope', 'one']],
    ]);
    expect(decayGroups(new Map([['fc.weight', zeros([2, 2])]]))).toHaveLength(1);
  });

  test('leaves a parameter without a gradient, and what is kept for it, as they are', () => {
    using _ = scope();
    const parameters = names.map((name) => values(name, name, 0));
    for (const parameter of parameters) parameter.requiresGrad = true;
    const before = parameters[1]!.toArray();
    const adamw = createOptimizer('adamw', parameters);
    parameters[0]!.grad = values('a', 'g', 0);
    adamw.step({ lr: 0.1, weightDecay: 0.1 });
    using _grad = noGrad();
    expect(parameters[1]!.toArray()).toEqual(before);
    expect(parameters[0]!.toArray()).not.toEqual(values('a', 'a', 0).toArray());
    const kept = (i: number) => keptNamed('x', adamw, i).map(([name, tensor]) => [name, tensor.abs().sum().item() > 0]);
    expect(kept(0)).toEqual([['optimizer.x', true], ['squares.x', true]]); // biome-ignore format: pairs
    expect(kept(1)).toEqual([['optimizer.x', false], ['squares.x', false]]); // biome-ignore format: pairs
  });
});
