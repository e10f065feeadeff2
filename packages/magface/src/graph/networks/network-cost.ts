/** Computes a network's cost from its nodes: parameters, values kept for backward, and arithmetic. */
import type { Architecture } from './builder.ts';
import { productOf, type ShapedNode, shapedNodes } from './value-shapes.ts';

/** Cost per image, unless stated otherwise. */
export interface NetworkCost {
  /** Learned numbers of the network. */
  readonly parameters: number;
  /** Numbers that all layers write, each of which backward needs. */
  readonly activations: number;
  /** Multiplications and additions of a forward pass, of convolutions and products; backward takes twice as many. */
  readonly operations: number;
  /** Channels of each BatchNorm. */
  readonly normChannels: readonly number[];
}

/** @param side - of the image @default 112 */
export function networkCost(architecture: Architecture, side = 112): NetworkCost {
  const { tensors } = architecture;
  const nodes = shapedNodes(architecture, side);
  const learned = tensors.filter(({ trainable }) => trainable);
  const norms = nodes.filter(({ node }) => node.opType === 'BatchNormalization');
  return {
    parameters: learned.reduce((sum, { shape }) => sum + productOf(shape), 0),
    activations: nodes.reduce((sum, { output }) => sum + productOf(output), 0),
    operations: nodes.reduce((sum, node) => sum + 2 * multiplications(node), 0),
    normChannels: norms.map(({ inputs }) => inputs[1]![0]!),
  };
}

/** Products of a convolution, a linear layer or two matrices; elementwise operators count for nothing, as usual. */
function multiplications({ node, inputs, output }: ShapedNode): number {
  switch (node.opType) {
    case 'Conv':
    case 'Gemm':
      return productOf(output) * productOf(inputs[1]!.slice(1));
    case 'MatMul':
      return productOf(output) * inputs[0]!.at(-1)!;
    default:
      return 0;
  }
}
