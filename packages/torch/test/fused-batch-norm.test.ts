import { autocast, type DType, fromArray, fusedBatchNorm, noGrad, scope, type Tensor, threads } from '@magface/torch';
import { beforeAll, expect, test } from 'vitest';
import { describeWithTorch } from './support/with-torch.ts';

/** Values in (-1, 1) that the seed determines. */
function values(shape: readonly number[], seed: number): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  const array = new Float32Array(count);
  let state = seed * 2654435761 + 1;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    array[i] = state / 2 ** 31 - 1;
  }
  return fromArray(array, shape);
}

interface Case {
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'bfloat16';
  readonly follows: 'nothing' | 'prelu' | 'residual' | 'both';
  readonly training: boolean;
}

const names = ['y', 'dx', 'dweight', 'dbias', 'dslope', 'dresidual', 'running mean', 'running variance'];

/** Output, gradients and running statistics, by the fused operator or by libtorch's own in float64. */
function run({ shape, dtype, follows, training }: Case, fused: boolean): Float64Array[] {
  using _ = scope();
  const type: DType = fused ? 'float32' : 'float64';
  const channels = [shape[1]!];
  const leaf = (tensor: Tensor, as: DType): Tensor => {
    const made = tensor.to({ dtype: as }).detach();
    made.requiresGrad = true;
    return made;
  };
  const inputs = (of: Tensor): Tensor => leaf(of.to({ dtype }), fused ? dtype : type);
  const x = inputs(values(shape, 1).mul(2).add(5)); // far from 0: sums of squares alone would lose digits
  const residual = follows === 'residual' || follows === 'both' ? inputs(values(shape, 2)) : undefined;
  const weight = leaf(values(channels, 3).add(1.5), type);
  const bias = leaf(values(channels, 4), type);
  const slope = follows === 'prelu' || follows === 'both' ? leaf(values(channels, 5).mul(0.5), type) : undefined;
  const [runningMean, runningVariance] = [values(channels, 6), values(channels, 7).add(1.5)].map((one) =>
    one.to({ dtype: type }),
  ) as [Tensor, Tensor];
  const settings = { training, momentum: 0.9, epsilon: 2e-5 };
  let y: Tensor;
  if (fused) y = fusedBatchNorm(x, { weight, bias, slope, residual, runningMean, runningVariance, ...settings });
  else {
    y = x.batchNorm(weight, bias, runningMean, runningVariance, training, 0.9, 2e-5, true);
    if (slope !== undefined) y = y.prelu(slope);
    if (residual !== undefined) y = y.add(residual);
  }
  y.backward(values(shape, 8).to({ dtype }).to({ dtype: y.dtype }));
  const results = [y, x.grad, weight.grad, bias.grad, slope?.grad, residual?.grad, runningMean, runningVariance];
  return results.map((one) => Float64Array.from(one?.detach().to({ dtype: 'float64' }).toArray() ?? [], Number));
}

/** The greatest difference, of the greatest value. */
function difference(a: Float64Array, b: Float64Array): number {
  expect(a.length).toBe(b.length);
  const size = b.reduce((most, one) => Math.max(most, Math.abs(one)), 1e-30);
  return a.reduce((most, one, i) => Math.max(most, Math.abs(one - b[i]!)), 0) / size;
}

describeWithTorch('BatchNorm with its epilogue', () => {
  beforeAll(() => void threads(2));
  const shapes = [
    [3, 64, 9, 7],
    [2, 32, 13, 11], // more rows than one block of sums
    [37, 96],
  ];
  const cases = shapes.flatMap((shape) =>
    (['float32', 'bfloat16'] as const).flatMap((dtype) =>
      (['nothing', 'prelu', 'residual', 'both'] as const).flatMap((follows) =>
        [true, false].map((training): Case => ({ shape, dtype, follows, training })),
      ),
    ),
  );

  test.each(cases)(
    'matches the values and gradients of single operators: $dtype $shape, $follows, training $training',
    (one) => {
      const expected = run(one, false);
      for (const [i, actual] of run(one, true).entries()) {
        const isStored = one.dtype === 'bfloat16' && ['y', 'dx', 'dresidual'].includes(names[i]!);
        expect(difference(actual, expected[i]!), names[i]).toBeLessThan(isStored ? 2 ** -8 : 5e-6);
      }
    },
  );

  test('one thread and three agree to rounding, and the same number of threads to the bit', () => {
    const one: Case = { shape: [4, 64, 10, 10], dtype: 'float32', follows: 'both', training: true };
    threads(1);
    const single = run(one, true);
    threads(3);
    const triple = run(one, true);
    expect(run(one, true)).toEqual(triple);
    for (const [i, actual] of triple.entries()) expect(difference(actual, single[i]!), names[i]).toBeLessThan(1e-6);
    threads(2);
  });

  test('passes on NaN and infinity in both types', () => {
    using _ = scope();
    using _noGrad = noGrad();
    for (const dtype of ['float32', 'bfloat16'] as const) {
      const array = new Float32Array(64);
      array[3] = Number.NaN;
      array[5] = Number.POSITIVE_INFINITY;
      const channel = (value: number): Tensor => fromArray(new Float32Array(32).fill(value));
      const y = fusedBatchNorm(fromArray(array, [2, 32]).to({ dtype }), {
        ...{
          weight: channel(2),
          bias: channel(0),
          runningMean: channel(0),
          runningVariance: channel(1),
          slope: channel(0.5),
        },
        ...{ training: false, momentum: 0.9, epsilon: 0 },
      }).toArray();
      expect([Number(y[3]), Number(y[5]), Number(y[7])]).toEqual([Number.NaN, Number.POSITIVE_INFINITY, 0]);
    }
  });

  test('uses libtorch for channels and types that the kernels do not support', () => {
    using _ = scope();
    const shape = [2, 20, 3, 3];
    const channel = (seed: number): Tensor => values([20], seed).add(1.5);
    const make = () => ({ weight: channel(1), bias: channel(2), runningMean: channel(3), runningVariance: channel(4) });
    const x = values(shape, 5);
    const settings = { training: true, momentum: 0.9, epsilon: 2e-5 };
    const own = make();
    const expected = x
      .batchNorm(own.weight, own.bias, own.runningMean, own.runningVariance, true, 0.9, 2e-5, true)
      .prelu(channel(6))
      .add(x);
    const actual = fusedBatchNorm(x, { ...make(), slope: channel(6), residual: x, ...settings });
    expect(actual.toArray()).toEqual(expected.toArray());
  });

  test('explains invalid arguments', () => {
    using _ = scope();
    using _autocast = autocast(null);
    const channel = values([64], 1);
    const parts = { weight: channel, bias: channel, runningMean: channel, runningVariance: channel };
    const settings = { training: true, momentum: 0.9, epsilon: 2e-5 };
    expect(() => fusedBatchNorm(values([2, 32, 3, 3], 1), { ...parts, ...settings })).toThrow(
      /fusedBatchNorm.*expected one weight per channel, 32, but received 64/,
    );
    const x = values([2, 64, 3, 3], 1);
    expect(() => fusedBatchNorm(x, { ...parts, residual: channel, ...settings })).toThrow(
      /residual with the shape of x/,
    );
  });
});
