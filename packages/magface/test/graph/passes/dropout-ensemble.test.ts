import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { parseOnnx, writeOnnx } from '../../../src/graph/onnx/file.ts';
import { type DropoutOptions, dropoutEnsemble } from '../../../src/graph/passes/dropout-ensemble.ts';
import { addLengthBranch } from '../../../src/graph/passes/length-branch.ts';
import { compare } from '../../../src/similarity.ts';
import { node, onnxGraph, wave, whole } from '../../support/onnx-graphs.ts';

const ends = {
  'a Gemm with rows of outputs': [node('Flatten a -> f'), node('Gemm f rows bias -> output', { transB: 1 })],
  'a Gemm with columns of outputs': [node('Flatten a -> f'), node('Gemm f columns -> output')],
  'a convolution over the whole map': [
    node('Conv a kernel bias -> c', { kernel_shape: [2, 2] }),
    node('Reshape c shape -> output'),
  ],
};

function model(end: keyof typeof ends): Uint8Array {
  return onnxGraph({
    nodes: [node('Conv input stem -> a', { kernel_shape: [3, 3] }), ...ends[end]],
    weights: {
      ...{ stem: wave([5, 3, 3, 3]), rows: wave([4, 20]), columns: wave([20, 4]), bias: wave([4]) },
      ...{ kernel: wave([4, 5, 2, 2]), shape: whole(-1, 4) },
    },
    input: [2, 3, 4, 4],
    output: [2, 4],
  });
}

const images = Float32Array.from({ length: 2 * 3 * 16 }, (_, i) => Math.cos(i * 0.7));

async function run(bytes: Uint8Array): Promise<Float32Array> {
  const session = await InferenceSession.create(bytes);
  const outputs = await session.run({ input: new Tensor('float32', images, [2, 3, 4, 4]) });
  return outputs[session.outputNames[0]!]!.data as Float32Array;
}

function ensemble(bytes: Uint8Array, options: DropoutOptions): Uint8Array {
  const parsed = parseOnnx(bytes, 'small.onnx');
  expect(dropoutEnsemble(parsed, 'small.onnx', options)).toBe(true);
  return writeOnnx(parsed, 'small.onnx');
}

test.each(Object.keys(ends) as (keyof typeof ends)[])(
  'behind %s: without dropout all embeddings are its own',
  async (end) => {
    const own = await run(model(end));
    const all = await run(ensemble(model(end), { passes: 3, rate: 0 }));
    expect(all).toHaveLength(2 * 3 * 4);
    for (const face of [0, 1])
      for (const pass of [0, 1, 2])
        for (const d of [0, 1, 2, 3]) expect(all[(face * 3 + pass) * 4 + d]).toBeCloseTo(own[face * 4 + d]!, 5);
  },
);

test('with dropout the embeddings differ, and their mean over many subsets is the own one', async () => {
  const end = 'a Gemm with rows of outputs';
  const passes = 4000;
  const own = await run(model(end));
  const all = await run(ensemble(model(end), { passes }));
  for (const d of [0, 1, 2, 3]) {
    const values = Array.from({ length: passes }, (_, pass) => all[pass * 4 + d]!);
    const mean = values.reduce((sum, value) => sum + value, 0) / passes;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / passes);
    expect(deviation).toBeGreaterThan(0.1);
    expect(Math.abs(mean - own[d]!)).toBeLessThan((5 * deviation) / Math.sqrt(passes));
  }
});

test('a branch that computes the length is left out: the directions are the own one', async () => {
  const parsed = parseOnnx(model('a Gemm with rows of outputs'), 'small.onnx');
  addLengthBranch(
    parsed,
    { taps: [{ value: 'a', weights: Float32Array.of(1, -2, 3, -4, 5) }], bias: 20, own: 0.1, limits: [5, 50] },
    'small',
  );
  const bytes = writeOnnx(parsed, 'small.onnx');
  const own = await run(bytes);
  const all = await run(ensemble(bytes, { passes: 2, rate: 0 }));
  for (const face of [0, 1])
    for (const pass of [0, 1])
      expect(
        compare(own.subarray(4 * face, 4 * face + 4), all.subarray(8 * face + 4 * pass).subarray(0, 4)),
      ).toBeCloseTo(1, 6);
});

test('refuses a model that does not end in a linear layer', () => {
  const bytes = onnxGraph({
    nodes: [node('Conv input stem -> a', { kernel_shape: [3, 3] }), node('GlobalAveragePool a -> output')],
    weights: { stem: wave([5, 3, 3, 3]) },
    input: [2, 3, 4, 4],
    output: [2, 5, 1, 1],
  });
  expect(dropoutEnsemble(parseOnnx(bytes, 'small.onnx'), 'small.onnx')).toBe(false);
});
