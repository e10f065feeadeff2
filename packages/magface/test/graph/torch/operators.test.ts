import { fromArray, noGrad, scope } from '@magface/torch';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { floatTensor, type OnnxTensor } from '../../../src/graph/onnx/tensor.ts';
import { openGraph } from '../../../src/graph/torch/open-graph.ts';
import { onnxModel, type SmallModelOptions, type SmallNode } from '../../support/small-graph.ts';
import { describeTraining, u01 } from '../../train/golden.ts';

const weight = (name: string, ...dims: number[]): OnnxTensor =>
  floatTensor(
    dims,
    u01(
      name,
      dims.reduce((a, b) => a * b, 1),
    ).map((value) => value - 0.4),
  );
const whole = (...values: number[]): OnnxTensor => ({
  dims: [values.length],
  dtype: 'int64',
  data: BigInt64Array.from(values, BigInt),
});
const number = (value: number): OnnxTensor => floatTensor([], Float32Array.of(value));

const shape = [2, 4, 6, 6];
const one = (op: string, more: Partial<SmallNode> = {}): SmallNode => ({ op, inputs: ['x'], output: 'y', ...more });

type Case = readonly [name: string, nodes: readonly SmallNode[], options?: SmallModelOptions];

const cases: readonly Case[] = [
  [
    'Conv of two groups, strided, padded on two sides',
    [one('Conv', { inputs: ['x', 'w', 'b'], int: { group: 2 }, ints: { strides: [2, 1], pads: [0, 0, 1, 1] } })],
    { stored: { w: weight('w', 6, 2, 3, 3), b: weight('b', 6) } },
  ],
  [
    'dilated Conv without bias',
    [one('Conv', { inputs: ['x', 'w'], ints: { dilations: [2, 2], pads: [2, 2, 2, 2] } })],
    { stored: { w: weight('w', 3, 4, 3, 3) } },
  ],
  [
    'BatchNormalization',
    [one('BatchNormalization', { inputs: ['x', 's', 'b', 'm', 'v'], float: { epsilon: 0.01 } })],
    { stored: { s: weight('s', 4), b: weight('b', 4), m: weight('m', 4), v: floatTensor([4], u01('v', 4)) } },
  ],
  ['PRelu, a slope a channel', [one('PRelu', { inputs: ['x', 's'] })], { stored: { s: weight('s', 4, 1, 1) } }],
  ['Relu and Sigmoid', [one('Relu', { output: 'r' }), one('Sigmoid', { inputs: ['r'] })]],
  ['LeakyRelu', [one('LeakyRelu', { float: { alpha: 0.3 } })]],
  [
    'Clip by inputs',
    [one('Clip', { inputs: ['x', 'low', 'high'] })],
    { stored: { low: number(-0.1), high: number(0.2) } },
  ],
  ['Clip without a lower limit', [one('Clip', { inputs: ['x', '', 'high'] })], { stored: { high: number(0.2) } }],
  ['Clip by attributes', [one('Clip', { float: { min: -0.1, max: 0.2 } })], { opset: 9 }],
  [
    'Mul and Sub of constants',
    [one('Mul', { inputs: ['x', 'c'], output: 'm' }), one('Sub', { inputs: ['m', 'c'] })],
    { stored: { c: weight('c', 4, 1, 1) } },
  ],
  [
    'Add and Div of itself',
    [one('Add', { inputs: ['x', 'x'], output: 'a' }), one('Div', { inputs: ['a', 'c'] })],
    { stored: { c: number(3) } },
  ],
  [
    'Gemm with transposition and factors',
    [
      one('Flatten', { output: 'f' }),
      one('Gemm', { inputs: ['f', 'w', 'b'], int: { transB: 1 }, float: { alpha: 0.5, beta: 2 } }),
    ],
    { stored: { w: weight('w', 5, 144), b: weight('b', 5) } },
  ],
  [
    'MatMul',
    [one('Flatten', { output: 'f' }), one('MatMul', { inputs: ['f', 'w'] })],
    { stored: { w: weight('w', 144, 5) } },
  ],
  ['Reshape with 0 and -1', [one('Reshape', { inputs: ['x', 's'] })], { stored: { s: whole(0, -1, 3) } }],
  ['Flatten at axis 2', [one('Flatten', { int: { axis: 2 } })]],
  ['Transpose', [one('Transpose', { ints: { perm: [0, 2, 3, 1] } })]],
  [
    'GlobalAveragePool and Squeeze',
    [one('GlobalAveragePool', { output: 'g' }), one('Squeeze', { inputs: ['g', 'axes'] })],
    { stored: { axes: whole(2, -1) } },
  ],
  ['Unsqueeze', [one('Unsqueeze', { inputs: ['x', 'axes'] })], { stored: { axes: whole(-1, 1) } }],
  ['Concat', [one('Relu', { output: 'r' }), one('Concat', { inputs: ['x', 'r'], int: { axis: 1 } })]],
  [
    'MaxPool padded on two sides',
    [one('MaxPool', { ints: { kernel_shape: [3, 3], strides: [2, 2], pads: [0, 0, 1, 1] } })],
  ],
  ['MaxPool rounding up', [one('MaxPool', { int: { ceil_mode: 1 }, ints: { kernel_shape: [4, 4], strides: [3, 3] } })]],
  ['AveragePool', [one('AveragePool', { ints: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] } })]],
  [
    'AveragePool counting its padding',
    [one('AveragePool', { int: { count_include_pad: 1 }, ints: { kernel_shape: [2, 2], pads: [1, 1, 1, 1] } })],
  ],
  ['Erf', [one('Erf')]],
  ['HardSigmoid', [one('HardSigmoid', { float: { alpha: 0.9, beta: 0.4 } })]],
  [
    'LayerNormalization',
    [one('LayerNormalization', { inputs: ['x', 's', 'b'], float: { epsilon: 0.01 } })],
    { stored: { s: weight('s', 6), b: weight('b', 6) } },
  ],
  [
    'LayerNormalization over two axes',
    [one('LayerNormalization', { inputs: ['x', 's'], int: { axis: 2 } })],
    { stored: { s: weight('s', 6, 6) } },
  ],
  ['ReduceL2', [one('ReduceL2', { ints: { axes: [-1] }, int: { keepdims: 0 } })]],
  ['Softmax', [one('Softmax', { int: { axis: 1 } })]],
  [
    'Slice of two axes, one from the end',
    [one('Slice', { inputs: ['x', 'starts', 'ends', 'axes'] })],
    { stored: { starts: whole(1, -5), ends: whole(2 ** 31 - 1, -1), axes: whole(1, 3) } },
  ],
  [
    'Resize by centres',
    [
      one('Resize', {
        inputs: ['x', '', 'scales'],
        text: { mode: 'nearest', coordinate_transformation_mode: 'half_pixel', nearest_mode: 'round_prefer_ceil' },
      }),
    ],
    { stored: { scales: floatTensor([4], Float32Array.of(1, 1, 2.1667, 1.5)) } },
  ],
  [
    'Resize by places rounded down',
    [
      one('Resize', {
        inputs: ['x', '', 'scales'],
        text: { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' },
      }),
    ],
    { stored: { scales: floatTensor([4], Float32Array.of(1, 1, 2, 2)) } },
  ],
  [
    'MatMul of two values in five dimensions',
    [
      one('Reshape', { inputs: ['x', 'to'], output: 'r' }),
      one('Transpose', { inputs: ['r'], output: 't', ints: { perm: [0, 1, 2, 4, 3] } }),
      one('MatMul', { inputs: ['r', 't'] }),
    ],
    { stored: { to: whole(1, -1, 4, 2, 18) } },
  ],
  ['Identity and Dropout', [one('Identity', { output: 'i' }), one('Dropout', { inputs: ['i'] })]],
];

describeTraining('operators', () => {
  test.each(cases.map(([name, nodes, options = {}]) => ({ name, nodes, options })))(
    '$name is as in ONNX Runtime',
    async ({ name, nodes, options }) => {
      const bytes = onnxModel(nodes, { shape, ...options });
      const input = u01(name, 2 * 4 * 6 * 6).map((value) => value - 0.5);
      const session = await InferenceSession.create(bytes);
      const expected = (await session.run({ x: new OrtTensor('float32', input, shape) }))['y']!;
      using _scope = scope();
      using _ = noGrad();
      const output = openGraph(bytes, name).forward(fromArray(input, shape));
      expect(output.shape).toEqual(expected.dims);
      const values = output.toArray() as Float32Array;
      for (const [i, value] of (expected.data as Float32Array).entries()) expect(values[i]).toBeCloseTo(value, 5);
    },
  );
});
