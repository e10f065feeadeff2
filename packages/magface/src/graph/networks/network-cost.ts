/** Computes a network's cost from its nodes: parameters, values kept for backward, and arithmetic. */
import { intsOf } from '../nodes.ts';
import type { NodeProto } from '../onnx/onnx_pb.ts';
import { type Architecture, inputValue } from './builder.ts';

/** Cost per image, unless stated otherwise. */
export interface NetworkCost {
  /** Learned numbers of the network. */
  readonly parameters: number;
  /** Numbers that all layers write, each of which backward needs. */
  readonly activations: number;
  /** Multiplications and additions of a forward pass; backward takes twice as many. */
  readonly operations: number;
  /** Channels of each BatchNorm. */
  readonly normChannels: readonly number[];
}

interface Shape {
  readonly channels: number;
  /** Width and height. */
  readonly side: number;
}

/** @param side - of the image @default 112 */
export function networkCost({ nodes, tensors }: Architecture, side = 112): NetworkCost {
  const weights = new Map(tensors.map(({ name, shape }) => [name, shape]));
  const shapes = new Map<string, Shape>([[inputValue, { channels: 3, side }]]);
  let [activations, operations] = [0, 0];
  for (const node of nodes) {
    const weight = weights.get(node.input[1] ?? '');
    const output = outputShape(node, shapes.get(node.input[0]!)!, weight);
    shapes.set(node.output[0]!, output);
    const values = output.channels * output.side ** 2;
    activations += values;
    if (node.opType === 'Conv' || node.opType === 'Gemm') operations += 2 * values * productOf(weight!.slice(1));
  }
  const learned = tensors.filter(({ trainable }) => trainable);
  const norms = nodes.filter(({ opType }) => opType === 'BatchNormalization');
  return {
    parameters: learned.reduce((sum, { shape }) => sum + productOf(shape), 0),
    activations,
    operations,
    normChannels: norms.map(({ input }) => weights.get(input[1]!)![0]!),
  };
}

const productOf = (sizes: readonly number[]): number => sizes.reduce((product, size) => product * size, 1);

function outputShape(node: NodeProto, input: Shape, weight: readonly number[] | undefined): Shape {
  switch (node.opType) {
    case 'Conv': {
      const [[kernel], [stride], [padding]] = ['kernel_shape', 'strides', 'pads'].map(
        (name) => intsOf(node, name)!,
      ) as [number[], number[], number[]];
      return { channels: weight![0]!, side: Math.floor((input.side + 2 * padding! - kernel!) / stride!) + 1 };
    }
    case 'Flatten':
      return { channels: input.channels * input.side ** 2, side: 1 };
    case 'Gemm':
      return { channels: weight![0]!, side: 1 };
    default:
      return input;
  }
}
