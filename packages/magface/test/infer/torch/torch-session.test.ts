import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compare } from 'magface';
import { Tensor } from 'onnxruntime-common';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { iresnet } from '../../../src/graph/networks/iresnet.ts';
import { withMetadata } from '../../../src/graph/onnx/file.ts';
import { forwardPlan } from '../../../src/graph/torch/forward-plan.ts';
import { createNetwork } from '../../../src/graph/torch/network.ts';
import { MagFace } from '../../../src/infer/node/magface.ts';
import { createSession } from '../../../src/infer/node/session.ts';
import { tune } from '../../../src/infer/node/tune.ts';
import { writeTuning } from '../../../src/infer/node/tuning.ts';
import type { Session } from '../../../src/infer/session.ts';
import { createTorchSession } from '../../../src/infer/torch/torch-session.ts';
import { contractMetadata } from '../../../src/models/contract.ts';
import { loadModel } from '../../../src/models/load-model.ts';
import { exportOnnx } from '../../../src/train/model/onnx-export.ts';
import { onnxModel, type SmallNode } from '../../support/small-graph.ts';
import { tinyRecord } from '../../support/tiny-onnx.ts';
import { describeTraining } from '../../train/golden.ts';

const noise = (length: number, seed: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => (Math.sin(i * 12.9898 + seed * 78.233) * 43758.5453) % 1);
const stored = (dims: readonly number[], seed: number) => ({
  dims: [...dims],
  dtype: 'float32' as const,
  data: noise(
    dims.reduce((product, size) => product * size, 1),
    seed,
  ),
});
const positive = (dims: readonly number[], seed: number) => {
  const { data, ...rest } = stored(dims, seed);
  return { ...rest, data: data.map((value) => 1 + value / 2) };
};

/** A block as recognisers have them, with all that is fused, and what stays. */
const nodes: readonly SmallNode[] = [
  { op: 'Mul', inputs: ['x', 'half'], output: 'scaled' },
  { op: 'Conv', inputs: ['scaled', 'w1'], output: 'c1', ints: { pads: [1, 1, 1, 1], strides: [2, 2] } },
  { op: 'PRelu', inputs: ['c1', 'slope'], output: 'p1' },
  { op: 'BatchNormalization', inputs: ['p1', 'gamma', 'beta', 'mean', 'variance'], output: 'n1' },
  { op: 'Conv', inputs: ['n1', 'w2', 'b2'], output: 'c2', ints: { pads: [1, 1, 1, 1] } },
  { op: 'Add', inputs: ['c2', 'p1'], output: 'sum' },
  { op: 'Clip', inputs: ['sum', 'low', 'high'], output: 'kept' },
  { op: 'Conv', inputs: ['kept', 'w3'], output: 'c3', int: { group: 32 }, ints: { strides: [7, 7] } },
  { op: 'Relu', inputs: ['c3'], output: 'r3' },
  { op: 'Flatten', inputs: ['r3'], output: 'flat' },
  { op: 'Gemm', inputs: ['flat', 'w4', 'b4'], output: 'embedding', int: { transB: 1 } },
];
const scalar = (value: number) => ({ dims: [], dtype: 'float32' as const, data: Float32Array.of(value) });
const weights = {
  ...{ half: scalar(0.5), low: scalar(-2), high: scalar(2), slope: stored([32, 1, 1], 2) },
  ...{ w1: stored([32, 3, 3, 3], 1), w2: stored([32, 32, 3, 3], 7), b2: stored([32], 8), w3: stored([32, 1, 7, 7], 9) },
  ...{ gamma: stored([32], 3), beta: stored([32], 4), mean: stored([32], 5), variance: positive([32], 6) },
  ...{ w4: stored([16, 32 * 64], 10), b4: stored([16], 11) },
};
const small = (): Uint8Array => onnxModel(nodes, { stored: weights });

async function embedded(session: Session, faces: Float32Array, count: number): Promise<Float32Array[]> {
  const feeds = { [session.inputNames[0]!]: new Tensor('float32', faces.slice(), [count, 3, 112, 112]) };
  const found = await session.run(feeds, [
    session.outputNames.includes('embedding') ? 'embedding' : session.outputNames[0]!,
  ]);
  const data = Object.values(found)[0]!.data as Float32Array;
  await session.release();
  return Array.from({ length: count }, (_, i) =>
    data.slice((i * data.length) / count, ((i + 1) * data.length) / count),
  );
}

async function leastCosine(bytes: Uint8Array): Promise<number> {
  const faces = noise(3 * 3 * 112 * 112, 12);
  const expected = await embedded(await createSession(bytes, { name: 'small' }), faces, 3);
  const found = await embedded(createTorchSession(bytes, { name: 'small', threads: 2 }), faces, 3);
  return Math.min(...found.map((one, i) => compare(one, expected[i]!)));
}

test('limits, sums, BatchNorms and PReLUs go into the convolutions', () => {
  const { steps, output } = forwardPlan(small(), 'small');
  expect(steps.map(({ kind }) => kind)).toEqual(['convolution', 'convolution', 'convolution', 'linear']);
  const [first, sum] = steps;
  expect(first).toMatchObject({ reads: ['x'], writes: 'p1', slope: weights.slope.data });
  expect(sum).toMatchObject({
    kind: 'convolution',
    reads: ['p1', 'p1'],
    writes: 'kept',
    frees: ['p1'],
    limits: [-2, 2],
  });
  expect(output).toBe('embedding');
});

test('what has no step is named', () => {
  const other = onnxModel([
    { op: 'Sigmoid', inputs: ['x'], output: 's' },
    { op: 'Mul', inputs: ['x', 's'], output: 'm' },
    { op: 'MaxPool', inputs: ['m'], output: 'y', ints: { kernel_shape: [2, 2] } },
  ]);
  expect(() => forwardPlan(other, 'swish.onnx')).toThrow(
    'Expected swish.onnx to use only operators that the torch engine supports but it also uses MaxPool, Mul, Sigmoid: use --engine onnx.',
  );
});

describeTraining('the engine torch', () => {
  test('gives the embeddings of ONNX Runtime, but for bfloat16', async () => {
    expect(await leastCosine(small())).toBeGreaterThan(0.9995);
  });

  test('also of an iResNet-18 of ours', async () => {
    const architecture = iresnet('iresnet18');
    const tensors = createNetwork(architecture, 3).tensors;
    const values = new Map([...tensors].map(([name, tensor]) => [name, tensor.toArray() as Float32Array]));
    expect(await leastCosine(exportOnnx(architecture, values))).toBeGreaterThan(0.9995);
  });

  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'engine-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('is chosen by name, and by auto once tuning found it best', async () => {
    const model = join(folder, 'small.onnx');
    const record = contractMetadata({ ...tinyRecord(), embeddingLength: 16 });
    await writeFile(model, withMetadata(small(), record, model));
    const load = async (options: object) => {
      await using magface = await MagFace.load({ model, detector: false, cacheDir: folder, ...options });
      return magface.engine;
    };
    expect(await load({})).toMatchObject({ name: 'onnx', batchSize: 8 });
    expect(await load({ engine: 'torch', batchSize: 3, threads: 1 })).toEqual({
      name: 'torch',
      batchSize: 3,
      threads: 1,
    });
    const loaded = await loadModel(model, { kind: 'recogniser' });
    const { trials, cosine, lengthChange, ...best } = await tune(loaded, { cacheDir: folder, milliseconds: 1 });
    expect(trials.length).toBeGreaterThanOrEqual(3);
    expect(trials).toContainEqual({ ...best, rate: expect.any(Number) });
    if (lengthChange !== null) expect(lengthChange).toBeLessThan(0.2);
    if (cosine !== null) expect(cosine).toBeGreaterThan(0.99); // of random weights, with limits in between
    expect(await load({})).toEqual(best);
    expect(await load({ batchSize: 2 })).toEqual({ ...best, batchSize: 2 });
    const other = { name: 'torch', threads: 1, batchSize: 4 } as const;
    await writeTuning(folder, loaded.digest, { ...other, trials, cosine: 1, lengthChange: 0 });
    expect(await load({})).toEqual(other);
    expect(await load({ engine: 'onnx' })).toMatchObject({ name: 'onnx', batchSize: 8 });
  });
});
