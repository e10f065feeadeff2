import { readdirSync } from 'node:fs';
import {
  cat,
  ForwardGraph,
  type ForwardStep,
  fromArray,
  noGrad,
  processor,
  scope,
  type Tensor,
  TorchError,
  UseAfterFreeError,
} from '@magface/torch';
import { expect, test } from 'vitest';
import { waveValues as wave } from './support/wave.ts';
import { describeWithTorch } from './support/with-torch.ts';

const ends = { input: 'x', output: 'y', threads: 2 } as const;
const unbounded = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;
const shape = [2, 32, 9, 7] as const;
const input = wave(2 * 32 * 9 * 7, 1);
const geometry = { strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1], groups: 1 };
const weight = wave(64 * 32 * 9, 2);
const bias = wave(64, 3);

const convolution = (more: Partial<Extract<ForwardStep, { kind: 'convolution' }>> = {}): ForwardStep => ({
  ...{ kind: 'convolution', reads: ['x'], writes: 'y', frees: [], weight, shape: [64, 32, 3, 3], bias, ...geometry },
  limits: unbounded,
  ...more,
});

async function run(steps: readonly ForwardStep[], output = 'y'): Promise<Float32Array> {
  const graph = new ForwardGraph(steps, { input: 'x', output, threads: 2 });
  const found = await graph.run(input, shape);
  graph.release();
  return found;
}

/** Of bfloat16 with float32 sums: its rounding of inputs, weights and results. */
function expectNear(found: Float32Array, expected: () => Tensor): void {
  using _ = scope();
  using _noGrad = noGrad();
  const values = expected().toArray() as Float32Array;
  expect(found.length).toBe(values.length);
  expect(differenceOf(found, values)).toBeLessThan(0.01);
}

/** What is left of two values that should be the same. */
const roundingError = (): number => (processor().bfloat16 ? 0.01 : 1e-5);

/** Beside the size of b. */
function differenceOf(a: Float32Array, b: Float32Array): number {
  return Math.hypot(...a.map((value, i) => value - b[i]!)) / Math.hypot(...b);
}

describeWithTorch('a network at inference', () => {
  const plain = (): Tensor =>
    fromArray(input, shape).conv2d(fromArray(weight, [64, 32, 3, 3]), { bias: fromArray(bias), padding: 1 });
  const inOrder = (): Tensor => plain().flatten({ startDim: 1 });

  test('a convolution, its limits and what is added, as the operators one by one', async () => {
    expectNear(await run([convolution()]), inOrder);
    expectNear(await run([convolution({ limits: [0, 6] })]), () => inOrder().clamp({ min: 0, max: 6 }));
    expectNear(await run([convolution({ limits: [0, Number.POSITIVE_INFINITY] })]), () => inOrder().clamp({ min: 0 }));
    const twice = [convolution({ writes: 'a' }), convolution({ reads: ['x', 'a'], frees: ['x', 'a'] })];
    expectNear(await run(twice), () => inOrder().mul(2));
    const kept = [
      convolution({ writes: 'a' }),
      convolution({ reads: ['x', 'a'], writes: 'b' }),
      { kind: 'add', reads: ['a', 'b'], writes: 'y', frees: [] } as const,
    ];
    expectNear(await run(kept), () => inOrder().mul(3)); // a is read after it was added to, and so is not written over
  });

  test('strides, groups and pads that differ between sides', async () => {
    const own = wave(32 * 9, 4);
    const step = convolution({
      ...{ weight: own, shape: [32, 1, 3, 3], bias: wave(32, 5) },
      groups: 32,
      strides: [2, 2],
    });
    const x = (): Tensor => fromArray(input, shape);
    const depthwise = { padding: 1, stride: 2, groups: 32 };
    expectNear(await run([step]), () =>
      x()
        .conv2d(fromArray(own, [32, 1, 3, 3]), { ...depthwise, bias: fromArray(wave(32, 5)) })
        .flatten({ startDim: 1 }),
    );
    const narrow = convolution({ pads: [0, 0, 2, 1] });
    expectNear(await run([narrow]), () => {
      const right = fromArray(new Float32Array(2 * 32 * 9), [2, 32, 9, 1]);
      const below = fromArray(new Float32Array(2 * 32 * 2 * 8), [2, 32, 2, 8]);
      const wide = cat([cat([x(), right], { dim: 3 }), below], { dim: 2 });
      return wide.conv2d(fromArray(weight, [64, 32, 3, 3]), { bias: fromArray(bias) }).flatten({ startDim: 1 });
    });
  });

  test('a line a channel with PReLU and a residual, also for channels that the loops do not take', async () => {
    const line = (channels: number, reads: readonly string[]): ForwardStep => ({
      ...{ kind: 'affine', reads, writes: 'y', frees: [] },
      ...{ scale: wave(channels, 6), offset: wave(channels, 7), slope: wave(channels, 8) },
    });
    const wide = (seed: number, channels: number): Tensor => fromArray(wave(channels, seed), [1, channels, 1, 1]);
    const composed = (x: Tensor, channels: number): Tensor => {
      const u = x.mul(wide(6, channels)).add(wide(7, channels));
      return u.clamp({ min: 0 }).add(u.clamp({ max: 0 }).mul(wide(8, channels)));
    };
    const x = (): Tensor => fromArray(input, shape);
    expectNear(await run([line(32, ['x', 'x'])]), () => composed(x(), 32).add(x()).flatten({ startDim: 1 }));
    const few = weight.slice(0, 20 * 32 * 9);
    const narrow = convolution({
      ...{ weight: few, shape: [20, 32, 3, 3], bias: bias.slice(0, 20) },
      writes: 'a',
    });
    const before = (): Tensor =>
      x().conv2d(fromArray(few, [20, 32, 3, 3]), { bias: fromArray(bias.slice(0, 20)), padding: 1 });
    expectNear(await run([narrow, line(20, ['a'])]), () => composed(before(), 20).flatten({ startDim: 1 }));
  });

  test('lines around a convolution, by tiles or not: zeros around the image stay zeros', async () => {
    const perChannel = (seed: number, channels: number): Tensor => fromArray(wave(channels, seed), [1, channels, 1, 1]);
    const prologue = { scale: wave(32, 6), offset: wave(32, 7) };
    const expected = (stride: number): Tensor => {
      const x = fromArray(input, shape).mul(perChannel(6, 32)).add(perChannel(7, 32));
      const y = x.conv2d(fromArray(weight, [64, 32, 3, 3]), { bias: fromArray(bias), padding: 1, stride });
      return y
        .clamp({ min: 0 })
        .add(y.clamp({ max: 0 }).mul(perChannel(8, 64)))
        .flatten({ startDim: 1 });
    };
    const around = { prologue, slope: wave(64, 8) };
    for (const stride of [1, 2, 3])
      expectNear(await run([convolution({ ...around, strides: [stride, stride] })]), () => expected(stride));
    // x is read as it was by the sum.
    const sum: ForwardStep[] = [
      convolution({ writes: 'a' }),
      convolution({ prologue, reads: ['x', 'a'], frees: ['x', 'a'] }),
    ];
    expectNear(await run(sum), () => {
      const x = fromArray(input, shape).mul(perChannel(6, 32)).add(perChannel(7, 32));
      const kernels = { bias: fromArray(bias), padding: 1 };
      const [first, second] = [fromArray(input, shape), x].map((image) =>
        image.conv2d(fromArray(weight, [64, 32, 3, 3]), kernels),
      ) as [Tensor, Tensor];
      return first.add(second).flatten({ startDim: 1 });
    });
  });

  test('images of every size by the tiles that fit them: small ones and single faces have others', async () => {
    const edges = [7, 8, 13, 14];
    const shapes = [1, 2, 9].flatMap((n) => edges.map((edge) => [n, 32, edge, edge - (n % 2)] as const));
    for (const stride of [1, 2]) {
      const graph = new ForwardGraph([convolution({ strides: [stride, stride] })], ends);
      for (const sizes of shapes) {
        const values = wave(sizes[0] * 32 * sizes[2] * sizes[3], sizes[0] + sizes[2]);
        const found = await graph.run(values, sizes);
        using _ = scope();
        using _noGrad = noGrad();
        const kernels = { bias: fromArray(bias), padding: 1, stride };
        const y = fromArray(values, sizes).conv2d(fromArray(weight, [64, 32, 3, 3]), kernels);
        expect(differenceOf(found, y.toArray() as Float32Array), `${sizes} by ${stride}`).toBeLessThan(roundingError());
      }
      graph.release();
    }
  });

  test('a mean and a linear layer in float32', async () => {
    const steps: ForwardStep[] = [
      { kind: 'average', reads: ['x'], writes: 'a', frees: ['x'] },
      {
        kind: 'linear',
        reads: ['a'],
        writes: 'y',
        frees: ['a'],
        weight: wave(5 * 32, 9),
        shape: [5, 32],
        bias: wave(5, 10),
      },
    ];
    const expected = (): Tensor =>
      fromArray(input, shape)
        .meanDim([2, 3])
        .linear(fromArray(wave(5 * 32, 9), [5, 32]), { bias: fromArray(wave(5, 10)) });
    expectNear(await run(steps), expected);
  });

  test('projections of a map add up in float32, beside its values', async () => {
    const [w, v] = [wave(32, 11), wave(32, 12)];
    const bias = 1000; // bfloat16 would round the sum to a multiple of 4
    const steps: ForwardStep[] = [
      { kind: 'projection', reads: ['x'], writes: 'a', frees: [], weight: w, bias },
      { kind: 'projection', reads: ['x', 'a'], writes: 'b', frees: ['a'], weight: v, bias: 0.25 },
      { kind: 'average', reads: ['x'], writes: 'm', frees: ['x'] },
      { kind: 'join', reads: ['m', 'b'], writes: 'y', frees: ['m', 'b'] },
    ];
    const found = await run(steps);
    const [count, channels, height, width] = shape;
    const area = height * width;
    for (let face = 0; face < count; face++) {
      let sum = bias + 0.25;
      for (let c = 0; c < channels; c++) {
        const from = (face * channels + c) * area;
        const mean = input.subarray(from, from + area).reduce((total, value) => total + value, 0) / area;
        sum += (w[c]! + v[c]!) * mean;
        expect(found[face * (channels + 1) + c]).toBeCloseTo(mean, 1);
      }
      expect(Math.abs(found[face * (channels + 1) + channels]! - sum)).toBeLessThan(0.1);
    }
  });

  test('runs of several sizes take turns and give each its own', async () => {
    const graph = new ForwardGraph([convolution()], ends);
    const half = input.slice(0, input.length / 2);
    const [both, one] = await Promise.all([graph.run(input, shape), graph.run(half, [1, 32, 9, 7])]);
    expect(differenceOf(one, both.slice(0, one.length))).toBeLessThan(roundingError()); // by other tiles
    const promise = graph.run(input, shape);
    graph.release(); // a run on its way ends well
    expect(await promise).toEqual(both);
    await expect(graph.run(input, shape)).rejects.toThrow(UseAfterFreeError);
  });

  test.skipIf(process.platform !== 'linux')(
    'runs make no threads anew, which would take the processors for a while',
    async () => {
      const graph = new ForwardGraph([convolution()], ends);
      const threads = (): string[] => readdirSync('/proc/self/task');
      for (let i = 0; i < 8; i++) await graph.run(input, shape);
      const before = threads();
      for (let i = 0; i < 8; i++) await graph.run(input, shape);
      expect(threads()).toEqual(before);
      graph.release();
      expect(threads().length).toBeLessThan(before.length); // its own thread and that one's helper have ended
    },
  );

  test('a run that fails leaves the next one as it was', async () => {
    const graph = new ForwardGraph([convolution()], ends);
    const first = await graph.run(input, shape);
    await expect(graph.run(input.slice(0, 31 * 63), [1, 31, 9, 7])).rejects.toThrow(TorchError);
    expect(await graph.run(input, shape)).toEqual(first);
    graph.release();
  });

  test('what does not fit is an error with its reason', async () => {
    const other = { kind: 'folding' } as unknown as ForwardStep;
    expect(() => new ForwardGraph([other], { input: 'x', output: 'y', threads: 1 })).toThrow(TorchError);
    await expect(run([convolution({ reads: ['nothing'] })])).rejects.toThrow(TorchError);
    await expect(run([convolution()], 'nothing')).rejects.toThrow('a value named nothing');
    expect(() => new ForwardGraph([convolution({ bias: wave(63, 1) })], ends)).toThrow('a bias of [64] but got [63]');
  });

  test('sizes that do not fit are refused before memory is read', async () => {
    const graph = new ForwardGraph([convolution()], ends);
    await expect(graph.run(input.slice(1), shape)).rejects.toThrow('the values of a batch');
    await expect(graph.run(input, [2, 32, 63])).rejects.toThrow('the values of a batch');
    await expect(graph.run(input, [1, 64, 9, 7])).rejects.toThrow('images of [1, 32, 9, 7] but got [1, 64, 9, 7]');
    await expect(graph.run(input, [2 * 32 * 63, 1, 1, 1])).rejects.toThrow(TorchError);
    graph.release();
    const other = convolution({ writes: 'a', pads: [0, 0, 0, 0] });
    const steps = [other, convolution({ reads: ['x', 'a'] })];
    await expect(run(steps)).rejects.toThrow('a sum operand of [2, 64, 9, 7] but got [2, 64, 7, 5]');
    const line: ForwardStep = {
      kind: 'affine',
      reads: ['x'],
      writes: 'y',
      frees: [],
      scale: wave(16, 1),
      offset: wave(16, 2),
    };
    await expect(run([line])).rejects.toThrow('16 channels but got values of [2, 32, 9, 7]');
    expect(() => new ForwardGraph([convolution({ slope: wave(63, 1) })], ends)).toThrow('one slope per output channel');
    const prologue = { scale: wave(31, 1), offset: wave(31, 2) };
    expect(() => new ForwardGraph([convolution({ prologue })], ends)).toThrow('one offset per input channel');
    const linear: ForwardStep = {
      ...{ kind: 'linear', reads: ['x'], writes: 'y', frees: [] },
      weight,
      shape: [64, 288],
      bias,
    };
    await expect(run([linear])).rejects.toThrow('[2, 288] but got [2, 2016]');
  });

  test('says what is used here', () => {
    const named = process.env['MAGFACE_KERNELS'];
    const { bfloat16, kernels, packedBy } = processor();
    if (named) expect(kernels).toBe(named);
    else expect(bfloat16).toBe(kernels === 'avx512bf16');
    expect(packedBy).toMatch(/^(oneDNN 2\.\d+\.\d+|libtorch)$/);
  });
});
