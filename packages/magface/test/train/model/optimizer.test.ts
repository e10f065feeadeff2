/** AdamW against PyTorch's own in double precision; resuming in trainer.test.ts. */
import { fromArray, noGrad, scope, type Tensor } from '@magface/torch';
import { expect, test } from 'vitest';
import { createOptimizer, keptNamed } from '../../../src/train/model/optimizer.ts';
import { fixtureJson } from '../../support/fixtures.ts';
import { describeTraining, u01 } from '../golden.ts';

const golden = fixtureJson<{
  readonly shapes: Readonly<Record<'a' | 'b', readonly number[]>>;
  readonly cases: readonly {
    readonly settings: Readonly<Record<'lr' | 'momentum' | 'beta2' | 'weightDecay', number>>;
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
      const adamw = createOptimizer('adamw', parameters);
      for (const [t, expected] of steps.entries()) {
        for (const [i, name] of names.entries())
          parameters[i]!.grad = values(name, `adamw/${name}/${t}`, 0.4).mul(1 / gradientScale);
        adamw.step({ ...settings, gradientScale, step: t + 1 });
        for (const [i, name] of names.entries()) {
          const own = parameters[i]!.toArray();
          for (const [j, value] of expected[name].entries()) expect(Number(own[j])).toBeCloseTo(value, 6);
        }
      }
    }
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
