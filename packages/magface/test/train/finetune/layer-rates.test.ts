import { expect, test } from 'vitest';
import { floatTensor } from '../../../src/graph/onnx/tensor.ts';
import { openGraph } from '../../../src/graph/torch/open-graph.ts';
import { rateGroups } from '../../../src/train/finetune/layer-rates.ts';
import { onnxModel } from '../../support/small-graph.ts';
import { describeTraining } from '../golden.ts';

describeTraining('rates of layers', () => {
  const stored = {
    stem: floatTensor([2, 3, 1, 1], new Float32Array(6)),
    slope: floatTensor([2, 1, 1], new Float32Array(2)),
    body: floatTensor([2, 2, 1, 1], new Float32Array(4)),
    head: floatTensor([2, 8], new Float32Array(16)),
  };
  const bytes = onnxModel(
    [
      { op: 'Conv', inputs: ['faces', 'stem'], output: 'a' },
      { op: 'PRelu', inputs: ['a', 'slope'], output: 'b' },
      { op: 'Conv', inputs: ['b', 'body'], output: 'c' },
      { op: 'GlobalAveragePool', inputs: ['c'], output: 'd' },
      { op: 'Flatten', inputs: ['d'], output: 'e' },
      { op: 'MatMul', inputs: ['e', 'head'], output: 'features' },
    ],
    { stored },
  );

  test('fall by the decay with each layer before the embedding; what stands behind a layer learns as it does', () => {
    const graph = openGraph(bytes, 'small.onnx');
    expect(rateGroups(graph, ['stem', 'slope', 'body', 'head'], 0.5)).toEqual([
      { rate: 0.25, names: ['stem', 'slope'] },
      { rate: 0.5, names: ['body'] },
      { rate: 1, names: ['head'] },
    ]);
    expect(rateGroups(graph, ['slope', 'head'], 1)).toEqual([{ rate: 1, names: ['slope', 'head'] }]);
  });
});
