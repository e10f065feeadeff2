import { fromArray, noGrad, scope } from '@magface/torch';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { ConfigError } from '../../../src/errors.ts';
import { summarizeOnnx } from '../../../src/graph/onnx/file.ts';
import { floatTensor, type OnnxTensor } from '../../../src/graph/onnx/tensor.ts';
import { type FileNetwork, openGraph } from '../../../src/graph/torch/open-graph.ts';
import { contractFields, officialInput, parseContract, type RecogniserContract } from '../../../src/models/contract.ts';
import { frontOf, selectWeights } from '../../../src/train/finetune/select-weights.ts';
import { writeGraph } from '../../../src/train/model/write-graph.ts';
import { onnxModel } from '../../support/small-graph.ts';
import { describeTraining, u01 } from '../golden.ts';

const weight = (name: string, ...dims: number[]): OnnxTensor =>
  floatTensor(
    dims,
    u01(
      name,
      dims.reduce((a, b) => a * b, 1),
    ),
  );

/** Two convolutions, the second with a shortcut around it, and a linear layer. */
function smallGraph(opset: number): FileNetwork {
  const bytes = onnxModel(
    [
      { op: 'Conv', inputs: ['faces', 'stem.weight'], output: 'stem', ints: { strides: [56, 56] } },
      { op: 'PRelu', inputs: ['stem', 'stem.slope'], output: 'active' },
      { op: 'Conv', inputs: ['active', 'body.weight'], output: 'body' },
      { op: 'Add', inputs: ['active', 'body'], output: 'sum' },
      { op: 'Flatten', inputs: ['sum'], output: 'flat' },
      { op: 'Gemm', inputs: ['flat', 'head.weight', 'head.bias'], output: 'features' },
    ],
    {
      opset,
      stored: {
        'stem.weight': weight('stem', 4, 3, 2, 2),
        'stem.slope': weight('slope', 4, 1, 1),
        'body.weight': weight('body', 4, 4, 1, 1),
        'head.weight': weight('head', 16, 8),
        'head.bias': weight('bias', 8),
      },
    },
  );
  return openGraph(bytes, 'small.onnx');
}

const contract: RecogniserContract = {
  kind: 'recogniser',
  input: officialInput,
  template: 'arcface-112',
  embeddingLength: 8,
  calibration: { centre: 3, width: 0.2, source: 'a test' },
};

describeTraining('a graph after training', () => {
  test.each([17, 18])('opset %i: the file has the new weights, the magnitude and its contract', async (opset) => {
    using _scope = scope();
    using _ = noGrad();
    const graph = smallGraph(opset);
    for (const tensor of graph.weights.values()) tensor.mul_(1.5);
    const images = u01('written', 2 * 3 * 112 * 112);
    const features = graph.forward(fromArray(images, [2, 3, 112, 112]));
    const bytes = writeGraph(graph, contract);

    const expected = [features.toArray(), features.norm(2, 1).toArray()] as Float32Array[];
    const { metadata, outputs } = summarizeOnnx(bytes, 'small.onnx');
    expect(outputs.map(({ name }) => name)).toEqual(['embedding', 'magnitude']);
    expect(parseContract(contractFields(metadata, 'small.onnx'), 'small.onnx')).toEqual(contract);
    return InferenceSession.create(bytes).then(async (session) => {
      const results = await session.run({ faces: new OrtTensor('float32', images, [2, 3, 112, 112]) });
      for (const [i, name] of ['embedding', 'magnitude'].entries()) {
        for (const [j, value] of (results[name]!.data as Float32Array).entries())
          expect(value / expected[i]![j]!).toBeCloseTo(1, 5);
      }
    });
  });

  test('written twice, the file is the same', () => {
    const bytes = writeGraph(smallGraph(17), contract);
    expect(writeGraph(openGraph(bytes, 'again.onnx'), contract)).toEqual(bytes);
  });

  test('what prepares pixels before the first layer is no weight', () => {
    const nodes = [
      { op: 'Sub', inputs: ['faces', 'mean'], output: 'centred' },
      { op: 'Conv', inputs: ['centred', 'w'], output: 'stem' },
      { op: 'Add', inputs: ['stem', 'bias'], output: 'features' },
    ];
    const stored = { mean: weight('mean', 1, 3, 1, 1), w: weight('w', 2, 3, 112, 112), bias: weight('b', 1, 2, 1, 1) };
    expect([...openGraph(onnxModel(nodes, { stored }), 'small.onnx').weights.keys()]).toEqual(['w', 'bias']);
  });

  test('weights are chosen by the last layers and by prefix; the frozen front ends where one value passes', () => {
    const graph = smallGraph(17);
    const all = selectWeights(graph, {});
    expect(all).toEqual(['stem.weight', 'stem.slope', 'body.weight', 'head.weight', 'head.bias']);
    expect(frontOf(graph, all)).toBeUndefined();
    expect(selectWeights(graph, { trainLast: 1 })).toEqual(['head.weight', 'head.bias']);
    expect(frontOf(graph, ['head.weight'])).toBe('flat');
    expect(frontOf(graph, ['body.weight'])).toBe('active');
    expect(selectWeights(graph, { freeze: ['stem', 'active', 'head.w'] })).toEqual(['body.weight', 'head.bias']);
    expect(selectWeights(graph, { trainLast: 99 })).toEqual(all);
    expect(() => selectWeights(graph, { freeze: [''] })).toThrow(ConfigError);
    expect(() => selectWeights(graph, { freeze: ['stem', 'steam'] })).toThrow(
      /for --freeze but received "steam", with which none begins: its layers' weights are named stem\.weight/,
    );
  });
});
