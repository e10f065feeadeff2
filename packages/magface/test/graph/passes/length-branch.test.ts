import { expect, test } from 'vitest';
import { parseOnnx } from '../../../src/graph/onnx/file.ts';
import { chooseTaps, mapsOf } from '../../../src/graph/passes/length-branch.ts';
import { node, onnxGraph, wave } from '../../support/onnx-graphs.ts';

/** A stem, blocks of one convolution with a shortcut, and a last convolution. */
function residual(blocks: number) {
  const block = (i: number) => [
    node(`Conv sum${i} w -> conv${i}`, { kernel_shape: [1, 1] }),
    node(`Add conv${i} sum${i} -> sum${i + 1}`),
  ];
  const bytes = onnxGraph({
    nodes: [
      node('Conv input w -> sum0', { kernel_shape: [1, 1] }),
      ...Array.from({ length: blocks }, (_, i) => block(i)).flat(),
      node(`Conv sum${blocks} w -> last`, { kernel_shape: [1, 1] }),
      node('Flatten last -> output'),
    ],
    weights: { w: wave([2, 2, 1, 1]) },
    input: [1, 2, 3, 3],
    output: [1, 18],
  });
  return parseOnnx(bytes, 'small.onnx');
}

const tapsOf = (blocks: number): string[] => {
  const model = residual(blocks);
  return chooseTaps(model, mapsOf(model, 'small.onnx'), 'small.onnx');
};

test('the taps are the results of blocks, where a shortcut begins or ends, and the last map', () => {
  expect(tapsOf(2)).toEqual(['sum0', 'sum1', 'sum2', 'last']);
  expect(tapsOf(0)).toEqual(['last']);
});

test('of a deep network every second or third, down to the last', () => {
  const taps = tapsOf(35);
  expect(taps).toHaveLength(13);
  expect(taps.slice(-2)).toEqual(['sum33', 'last']);
});
