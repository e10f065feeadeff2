/**
 * Networks as data: a list of layers, each with the names of the values it reads and writes. One description serves
 * training (network.ts runs it), export (onnx-export.ts writes it down), and counting.
 */

/** One layer. `name` is the prefix of its tensors in PyTorch's state_dict. */
export type Layer = {
  readonly name: string;
  /** Names of the values read. */
  readonly inputs: readonly string[];
  /** Name of the value written. */
  readonly output: string;
} & LayerKind;

/** What a layer computes, with its sizes. */
export type LayerKind =
  | {
      readonly kind: 'conv';
      readonly inChannels: number;
      readonly outChannels: number;
      /** Width and height of the window. */
      readonly kernel: number;
      readonly stride: number;
      readonly padding: number;
      readonly groups: number;
    }
  /** Over (N, C, H, W) or (N, C), affine, with running statistics. */
  | {
      readonly kind: 'batchNorm';
      readonly channels: number /** @default {@link batchNormEpsilon} */;
      readonly epsilon?: number;
    }
  /** One slope a channel. */
  | { readonly kind: 'prelu'; readonly channels: number }
  /** Clamps to [0, highest]. */
  | { readonly kind: 'clamp'; readonly highest: number }
  | { readonly kind: 'add' }
  /** Zeroes whole channels in training. */
  | { readonly kind: 'channelDropout' }
  /** (N, C, H, W) to (N, C·H·W). */
  | { readonly kind: 'flatten' }
  | { readonly kind: 'linear'; readonly inFeatures: number; readonly outFeatures: number };

/** A network from `input`, (N, 3, 112, 112), to the last layer's value, (N, D). */
export interface Architecture {
  /** Such as `iresnet50`. */
  readonly name: string;
  readonly layers: readonly Layer[];
  /** D. */
  readonly embeddingLength: number;
}

/** Epsilon of every BatchNorm of the official models. */
export const batchNormEpsilon = 2e-5;

/** Name of the value that the first layer reads. */
export const inputValue = 'input';

/** The role of a layer's tensor. */
export interface TensorSpec {
  readonly name: string;
  readonly shape: readonly number[];
  /** Whether it is trained; the others are running statistics. */
  readonly trainable: boolean;
}

/** The tensors of one layer, in PyTorch's order; `num_batches_tracked` is left out here, it is a count and no tensor. */
export function tensorsOf(layer: Layer): TensorSpec[] {
  const tensor = (suffix: string, shape: readonly number[], trainable = true): TensorSpec => ({
    name: `${layer.name}.${suffix}`,
    shape,
    trainable,
  });
  switch (layer.kind) {
    case 'conv':
      return [tensor('weight', [layer.outChannels, layer.inChannels / layer.groups, layer.kernel, layer.kernel])];
    case 'batchNorm': {
      const shape = [layer.channels];
      return [
        tensor('weight', shape),
        tensor('bias', shape),
        tensor('running_mean', shape, false),
        tensor('running_var', shape, false),
      ];
    }
    case 'prelu':
      return [tensor('weight', [layer.channels])];
    case 'linear':
      return [tensor('weight', [layer.outFeatures, layer.inFeatures]), tensor('bias', [layer.outFeatures])];
    default:
      return [];
  }
}

/** All tensors of a network, in PyTorch's order. */
export function allTensors({ layers }: Architecture): TensorSpec[] {
  return layers.flatMap(tensorsOf);
}

/** The batch normalisations, each of which counts its batches under `NAME.num_batches_tracked`. */
export function batchCounters({ layers }: Architecture): string[] {
  return layers.filter(({ kind }) => kind === 'batchNorm').map(({ name }) => `${name}.num_batches_tracked`);
}

/** Builds a list of layers from top to bottom; each method returns the name of the value it writes. */
export class LayerList {
  readonly layers: Layer[] = [];

  conv(
    name: string,
    input: string,
    shape: {
      readonly from: number;
      readonly to: number;
      readonly kernel: number;
      readonly stride?: number;
      readonly padding?: number;
      readonly groups?: number;
    },
  ): string {
    const { from, to, kernel, stride = 1, padding = (kernel - 1) / 2, groups = 1 } = shape;
    return this.#push(name, [input], {
      kind: 'conv',
      inChannels: from,
      outChannels: to,
      kernel,
      stride,
      padding,
      groups,
    });
  }

  batchNorm(name: string, input: string, channels: number, epsilon: number = batchNormEpsilon): string {
    return this.#push(name, [input], { kind: 'batchNorm', channels, epsilon });
  }

  prelu(name: string, input: string, channels: number): string {
    return this.#push(name, [input], { kind: 'prelu', channels });
  }

  clamp(name: string, input: string, highest: number): string {
    return this.#push(name, [input], { kind: 'clamp', highest });
  }

  add(name: string, a: string, b: string): string {
    return this.#push(name, [a, b], { kind: 'add' });
  }

  channelDropout(name: string, input: string): string {
    return this.#push(name, [input], { kind: 'channelDropout' });
  }

  flatten(name: string, input: string): string {
    return this.#push(name, [input], { kind: 'flatten' });
  }

  linear(name: string, input: string, inFeatures: number, outFeatures: number): string {
    return this.#push(name, [input], { kind: 'linear', inFeatures, outFeatures });
  }

  #push(name: string, inputs: readonly string[], kind: LayerKind): string {
    this.layers.push({ name, inputs, output: name, ...kind });
    return name;
  }
}
