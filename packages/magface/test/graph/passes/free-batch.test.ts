import { expect, test } from 'vitest';
import { batchDifference } from '../../../src/convert/check-batch.ts';
import { parseOnnx, readyToRun } from '../../../src/graph/onnx/file.ts';
import type { NodeProto } from '../../../src/graph/onnx/onnx_pb.ts';
import type { OnnxTensor } from '../../../src/graph/onnx/tensor.ts';
import { freeBatchOf } from '../../../src/graph/passes/free-batch.ts';
import { node, onnxGraph, wave, whole } from '../../support/onnx-graphs.ts';

const input = [1, 4, 6, 6];

interface Case {
  readonly nodes: readonly NodeProto[];
  readonly weights?: Readonly<Record<string, OnnxTensor>>;
  readonly output?: readonly number[];
  readonly opset?: number;
}

const model = ({ output = input, ...rest }: Case): Uint8Array => onnxGraph({ input, output, ...rest });

const freed: Readonly<Record<string, Case>> = {
  'a convolution, its activation, pooling and a reshape to (1, -1)': {
    nodes: [
      node('Conv input w b -> a', { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
      node('PRelu a slope -> c'),
      node('GlobalAveragePool c -> d'),
      node('Reshape d shape -> output'),
    ],
    weights: { w: wave([5, 4, 3, 3]), b: wave([5]), slope: wave([5, 1, 1]), shape: whole(1, -1) },
    output: [1, 5],
  },
  'the mean over width and height': {
    nodes: [node('ReduceMean input -> output', { axes: [-1, 2], keepdims: 0 })],
    output: [1, 4],
  },
  'a flattening and a linear layer': {
    nodes: [node('Flatten input -> a'), node('Gemm a w b -> output', { transB: 1 })],
    weights: { w: wave([7, 144]), b: wave([7]) },
    output: [1, 7],
  },
  'channels moved last, cut and joined': {
    nodes: [
      node('Transpose input -> a', { perm: [0, 2, 3, 1] }),
      node('Slice a from to axes -> b'),
      node('Concat b b -> output', { axis: 3 }),
    ],
    weights: { from: whole(1), to: whole(3), axes: whole(3) },
    output: [1, 6, 6, 4],
  },
  'an attention over positions': {
    nodes: [
      node('Reshape input shape -> a'),
      node('Transpose a -> b', { perm: [0, 2, 1] }),
      node('MatMul b a -> c'),
      node('Softmax c -> output', { axis: 2 }),
    ],
    weights: { shape: whole(1, 4, 36) },
    output: [1, 36, 36],
  },
};

test.each(Object.entries(freed))('%s: freed, and three at once give what each gives alone', async (_, given) => {
  const bytes = model(given);
  const { bytes: mended, batchFree } = readyToRun(bytes, 'small');
  expect(batchFree).toBe(true);
  expect(await batchDifference(bytes, mended, { name: 'small', dims: input.slice(1) })).toBeLessThan(1e-6);
});

const held: Readonly<Record<string, Case & { readonly why: RegExp }>> = {
  'a mean over the batch': {
    nodes: [node('ReduceMean input -> output', { axes: [0], keepdims: 1 })],
    why: /ReduceMean \(output\) may mix/,
  },
  'a mean over everything': {
    nodes: [node('ReduceMean input -> output')],
    why: /ReduceMean \(output\) may mix/,
  },
  'a softmax along the batch': { nodes: [node('Softmax input -> output', { axis: 0 })], why: /Softmax/ },
  'channels moved to the front': {
    nodes: [node('Transpose input -> output', { perm: [1, 0, 2, 3] })],
    output: [4, 1, 6, 6],
    why: /Transpose/,
  },
  'a reshape that takes the batch in': {
    nodes: [node('Reshape input shape -> output')],
    weights: { shape: whole(4, 36) },
    output: [4, 36],
    why: /Reshape/,
  },
  'a squeeze of every size of one': { nodes: [node('Squeeze input -> output')], output: [4, 6, 6], why: /Squeeze/ },
  'a constant with a row a face': {
    nodes: [node('Add input c -> output')],
    weights: { c: wave([2, 4, 6, 6]) },
    output: [2, 4, 6, 6],
    why: /Add/,
  },
  'faces joined end to end': {
    nodes: [node('Concat input input -> output', { axis: 0 })],
    output: [2, 4, 6, 6],
    why: /Concat/,
  },
  'a shape that is computed': {
    nodes: [node('Shape input -> s'), node('Reshape input s -> output')],
    why: /Shape is not known to keep faces apart/,
  },
  'an operator of somebody else': {
    nodes: [Object.assign(node('Fancy input -> output'), { domain: 'com.example' })],
    why: /Fancy is not known to keep faces apart/,
  },
};

test.each(Object.entries(held))('%s: stays fixed, and says why', (_, { why, ...given }) => {
  const bytes = model(given);
  expect(freeBatchOf(parseOnnx(bytes, 'small'), 'small')).toMatch(why);
  expect(readyToRun(bytes, 'small').batchFree).toBe(false);
});

test('a file that says more of its batch than one is left alone', () => {
  const two = onnxGraph({ nodes: [node('Relu input -> output')], input: [2, 4], output: [2, 4] });
  expect(freeBatchOf(parseOnnx(two, 'small'), 'small')).toMatch(/no first dimension of 1/);
});

test('the proof by running tells a model that mixes faces', async () => {
  const mixing = onnxGraph({
    nodes: [node('ReduceMean input -> m', { axes: [0], keepdims: 1 }), node('Add input m -> output')],
    input,
    output: input,
  });
  const wrongly = parseOnnx(mixing, 'small');
  for (const value of [...wrongly.graph!.input, ...wrongly.graph!.output])
    value.type!.tensorType!.shape!.dim[0]!.value = { case: 'dimParam', value: 'N' };
  const { writeOnnx } = await import('../../../src/graph/onnx/file.ts');
  expect(
    await batchDifference(mixing, writeOnnx(wrongly, 'small'), { name: 'small', dims: [4, 6, 6] }),
  ).toBeGreaterThan(0.1);
});
