import { expect, test } from 'vitest';
import { batchDifference } from '../../../src/convert/check-batch.ts';
import { parseOnnx, readyToRun, writeOnnx } from '../../../src/graph/onnx/file.ts';
import { floatTensor, type OnnxTensor } from '../../../src/graph/onnx/tensor.ts';
import { splitPrelu } from '../../../src/graph/passes/split-prelu.ts';
import { node, onnxGraph, wave } from '../../support/onnx-graphs.ts';

const dims = [4, 6, 6];

const freed = (graph: Parameters<typeof onnxGraph>[0]): Uint8Array => readyToRun(onnxGraph(graph), 'graph').bytes;

/** A convolution of four channels to five, and what follows it. */
const model = (follow: string, weights: Readonly<Record<string, OnnxTensor>>): Uint8Array =>
  freed({
    input: [1, ...dims],
    output: [1, 5, 6, 6],
    nodes: [
      node('Conv input w b -> a', { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
      ...follow.split('; ').map((words) => node(words)),
    ],
    weights: { w: wave([5, 4, 3, 3]), b: wave([5]), ...weights },
  });

const slopes = (...values: number[]): OnnxTensor => floatTensor([values.length, 1, 1], Float32Array.from(values));

test.each([
  ['of at most 1, negative ones too', slopes(0.25, 0, 1, -0.5, 0.9)],
  ['above 1 among others', slopes(0.25, 1.5, 1, -2, 3)],
])('slopes %s give the same values, and no PRelu is left', async (_, slope) => {
  const bytes = model('PRelu a slope -> output', { slope });
  const split = parseOnnx(bytes, 'split');
  expect(splitPrelu(split, 'split')).toBe(1);
  expect(split.graph!.node.map(({ opType }) => opType)).not.toContain('PRelu');
  expect(await batchDifference(bytes, writeOnnx(split, 'split'), { name: 'split', dims })).toBeLessThan(1e-6);
});

test('a sum that also reads the convolution, and one slope for all channels, stay right', async () => {
  const both = model('PRelu a slope -> c; Add a c -> output', { slope: slopes(0.1, 0.2, 0.3, 0.4, 0.5) });
  const split = parseOnnx(both, 'both');
  expect(splitPrelu(split, 'both')).toBe(1);
  expect(await batchDifference(both, writeOnnx(split, 'both'), { name: 'both', dims })).toBeLessThan(1e-6);
  const shared = parseOnnx(model('PRelu a slope -> output', { slope: slopes(0.1) }), 'shared');
  expect(splitPrelu(shared, 'shared')).toBe(0);
});

test('a PRelu behind anything else stays', () => {
  const slope = slopes(0.1, 0.2, 0.3, 0.4, 0.5);
  const sum = parseOnnx(model('Add a a -> c; PRelu c slope -> output', { slope }), 'sum');
  expect(splitPrelu(sum, 'sum')).toBe(0);
});
