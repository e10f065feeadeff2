/** Computes a network's cost from its list of layers: parameters, values kept for backward, and arithmetic. */
import { type Architecture, allTensors, inputValue, type Layer } from './layers.ts';

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
export function networkCost(architecture: Architecture, side = 112): NetworkCost {
  const shapes = new Map<string, Shape>([[inputValue, { channels: 3, side }]]);
  let [activations, operations] = [0, 0];
  for (const layer of architecture.layers) {
    const input = shapes.get(layer.inputs[0]!)!;
    const output = outputShape(layer, input);
    shapes.set(layer.output, output);
    const values = output.channels * output.side ** 2;
    activations += values;
    if (layer.kind === 'conv') operations += (2 * values * layer.inChannels * layer.kernel ** 2) / layer.groups;
    if (layer.kind === 'linear') operations += 2 * values * layer.inFeatures;
  }
  const learned = allTensors(architecture).filter(({ trainable }) => trainable);
  return {
    parameters: learned.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0),
    activations,
    operations,
    normChannels: architecture.layers.flatMap((layer) => (layer.kind === 'batchNorm' ? [layer.channels] : [])),
  };
}

function outputShape(layer: Layer, input: Shape): Shape {
  switch (layer.kind) {
    case 'conv': {
      const side = Math.floor((input.side + 2 * layer.padding - layer.kernel) / layer.stride) + 1;
      return { channels: layer.outChannels, side };
    }
    case 'flatten':
      return { channels: input.channels * input.side ** 2, side: 1 };
    case 'linear':
      return { channels: layer.outFeatures, side: 1 };
    default:
      return input;
  }
}
