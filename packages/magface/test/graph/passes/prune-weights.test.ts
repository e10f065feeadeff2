import { expect, test } from 'vitest';
import { indexGraph } from '../../../src/graph/nodes.ts';
import { parseOnnx } from '../../../src/graph/onnx/file.ts';
import { floatsOf } from '../../../src/graph/onnx/tensor.ts';
import { pruneWeights, roundWeights } from '../../../src/graph/passes/prune-weights.ts';
import { node, onnxGraph, wave } from '../../support/onnx-graphs.ts';

const model = () =>
  parseOnnx(
    onnxGraph({
      nodes: [
        node('Conv input w b -> a', { kernel_shape: [3, 3] }),
        node('Flatten a -> f'),
        node('Gemm f g -> output'),
      ],
      weights: { w: wave([5, 2, 3, 3]), b: wave([5]), g: wave([5, 4]) },
      input: [1, 2, 3, 3],
      output: [1, 4],
    }),
    'small.onnx',
  ).graph!;

const values = (graph: ReturnType<typeof model>, name: string): Float32Array =>
  floatsOf(indexGraph(graph, 'small.onnx').constant(name)!);

test('pruning zeroes the smallest 40 % of every layer and leaves the rest and the biases as they are', () => {
  const [before, pruned] = [model(), model()];
  pruneWeights(pruned, 0.4, 'small.onnx');
  for (const name of ['w', 'g']) {
    const [old, now] = [values(before, name), values(pruned, name)];
    const kept = [...now.keys()].filter((i) => now[i] !== 0);
    expect(kept.length).toBe(now.length - Math.floor(0.4 * now.length));
    expect(kept.every((i) => now[i] === old[i])).toBe(true);
    const gone = [...now.keys()].filter((i) => now[i] === 0);
    const largestGone = Math.max(...gone.map((i) => Math.abs(old[i]!)));
    expect(kept.every((i) => Math.abs(old[i]!) >= largestGone)).toBe(true);
  }
  expect(values(pruned, 'b')).toEqual(values(before, 'b'));
});

test('rounding moves no weight by more than half a step of its output channel', () => {
  const [before, rounded] = [model(), model()];
  roundWeights(rounded, 'small.onnx');
  const [old, now] = [values(before, 'g'), values(rounded, 'g')]; // (5 inputs, 4 outputs)
  expect(now).not.toEqual(old);
  for (let output = 0; output < 4; output++) {
    const column = [0, 1, 2, 3, 4].map((input) => 4 * input + output);
    const step = Math.max(...column.map((i) => Math.abs(old[i]!))) / 127;
    for (const i of column) {
      expect(Math.abs(now[i]! - old[i]!)).toBeLessThanOrEqual(step / 2 + 1e-7);
      expect(now[i]! / step).toBeCloseTo(Math.round(now[i]! / step), 3);
    }
  }
});
