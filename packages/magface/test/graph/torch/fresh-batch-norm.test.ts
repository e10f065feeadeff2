import { fromArray, noGrad, scope } from '@magface/torch';
import { expect, test } from 'vitest';
import { floatTensor } from '../../../src/graph/onnx/tensor.ts';
import { insertBatchNorm, startBatchNorm } from '../../../src/graph/torch/fresh-batch-norm.ts';
import { type FileNetwork, openGraph } from '../../../src/graph/torch/open-graph.ts';
import { officialInput, type RecogniserContract } from '../../../src/models/contract.ts';
import { selectWeights } from '../../../src/train/finetune/select-weights.ts';
import { writeGraph } from '../../../src/train/model/write-graph.ts';
import { onnxModel } from '../../support/small-graph.ts';
import { describeTraining, u01 } from '../../train/golden.ts';

const weight = (name: string, ...dims: number[]) =>
  floatTensor(
    dims,
    u01(
      name,
      dims.reduce((a, b) => a * b, 1),
    ).map((value) => value - 0.5),
  );

/** A convolution without a bias, one for each channel with one, and a linear layer. */
const bytes = onnxModel(
  [
    { op: 'Conv', inputs: ['faces', 'stem'], output: 'a', ints: { strides: [56, 56] } },
    { op: 'Relu', inputs: ['a'], output: 'b' },
    { op: 'Conv', inputs: ['b', 'depth', 'bias'], output: 'c', int: { group: 4 } },
    { op: 'Flatten', inputs: ['c'], output: 'd' },
    { op: 'Gemm', inputs: ['d', 'head'], output: 'embedding' },
  ],
  {
    stored: {
      stem: weight('stem', 4, 3, 2, 2),
      depth: weight('depth', 4, 1, 1, 1),
      bias: weight('bias', 4),
      head: weight('head', 16, 8),
    },
  },
);

const contract: RecogniserContract = {
  kind: 'recogniser',
  input: officialInput,
  template: 'arcface-112',
  embeddingLength: 8,
};

const faces = () => fromArray(u01('faces', 3 * 3 * 112 * 112), [3, 3, 112, 112]);
const features = (graph: FileNetwork, training = false) => [...graph.forward(faces(), { training }).toArray()];
const near = (values: readonly (number | bigint)[]) => values.map((value) => expect.closeTo(Number(value), 4));

describeTraining('fresh BatchNorm', () => {
  test('changes nothing at the start, learns with the statistics of the batch, and is folded away in the file', () => {
    using _scope = scope();
    using _ = noGrad();
    const plain = openGraph(bytes, 'small.onnx');
    const graph = insertBatchNorm(plain, selectWeights(plain, {}));
    expect(selectWeights(graph, {}).filter((name) => name.includes('.fresh.'))).toEqual(
      ['a', 'c'].flatMap((output) => [`${output}.fresh.scale`, `${output}.fresh.bias`]),
    );
    startBatchNorm(graph, faces(), undefined);
    expect(features(graph)).toEqual(near(features(plain)));
    const before = [...graph.statistics.values()].map((tensor) => [...tensor.toArray()]);
    expect(features(graph, true)).toEqual(near(features(plain))); // the same batch
    graph.weights.get('a.fresh.scale')!.copy_(fromArray(Float32Array.of(2, 0.5, 1, 3)));
    graph.weights.get('c.fresh.bias')!.copy_(fromArray(Float32Array.of(0.1, -0.2, 0, 1)));
    features(graph, true);
    expect([...graph.statistics.values()].map((tensor) => [...tensor.toArray()])).not.toEqual(before);

    const written = openGraph(writeGraph(graph, contract), 'written.onnx');
    expect(features(written)).toEqual(near(features(graph)));
    expect(features(written)).not.toEqual(near(features(plain)));
    expect(written.model.graph!.node.map(({ opType }) => opType)).toEqual([
      ...['Conv', 'Relu', 'Conv', 'Flatten', 'Gemm', 'ReduceL2'],
    ]);
    expect(written.model.graph!.initializer.some(({ name }) => /fresh\.(scale|mean)/.test(name))).toBe(false);
  });

  test('leaves out convolutions that are not trained, and those that have a BatchNorm', () => {
    const plain = openGraph(bytes, 'small.onnx');
    const graph = insertBatchNorm(plain, ['depth', 'head']);
    expect([...graph.statistics.keys()]).toEqual(['c.fresh.mean', 'c.fresh.variance']);
    expect([...insertBatchNorm(graph, ['depth']).statistics.keys()]).toEqual([...graph.statistics.keys()]);
  });
});
