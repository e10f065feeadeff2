/**
 * Networks as data: nodes with ONNX's operators over tensors with PyTorch's names. One description serves training
 * (torch/network.ts runs it), export (train/model/onnx-export.ts writes it down), and counting.
 */
import { floatAttribute, intAttribute, intsAttribute, newNode, stringAttribute } from '../nodes.ts';
import type { AttributeProto, NodeProto, TensorProto } from '../onnx/onnx_pb.ts';
import { floatTensor, tensorProto } from '../onnx/tensor.ts';

/** A network without its weights, from `input`, (N, 3, 112, 112), to the last node's value, (N, D). */
export interface Architecture {
  /** Such as `iresnet50`. */
  readonly name: string;
  /** In order. Each is named as its layer is in PyTorch and writes one value of that name. */
  readonly nodes: readonly NodeProto[];
  /** The layers' tensors, in the order of PyTorch's state_dict. */
  readonly tensors: readonly TensorSpec[];
  /** Numbers that belong to the formula, such as the limits of a Clip. */
  readonly constants: readonly TensorProto[];
  /** D. */
  readonly embeddingLength: number;
}

/** A tensor of a network. */
export interface TensorSpec {
  readonly name: string;
  readonly shape: readonly number[];
  /** Whether it is trained; the others are running statistics. */
  readonly trainable: boolean;
  /** Its value before training: one number, or normally distributed around 0. @default by the operator that reads it */
  readonly start?: number | { readonly deviation: number };
}

/** A network's weights and running statistics, by PyTorch's names. */
export type Weights = ReadonlyMap<string, Float32Array>;

/** Epsilon of every BatchNorm of the official models. */
export const batchNormEpsilon = 2e-5;

/** The official models' share of the old running statistics in ONNX's convention; PyTorch calls the other part 0.9. */
const batchNormMomentum = 0.1;

/** Name of the value that the first node reads. */
export const inputValue = 'input';

/** @returns the multiple of `step` nearest to a number of channels, at least `step` and at most a tenth below the number */
export function nearestMultiple(channels: number, step: number): number {
  const rounded = Math.max(step, Math.floor((channels + step / 2) / step) * step);
  return rounded < 0.9 * channels ? rounded + step : rounded;
}

/** A window that moves over an image. */
export interface WindowShape {
  /** Width and height of the window, or [height, width]. */
  readonly kernel: number | readonly [number, number];
  /** @default 1 */
  readonly stride?: number;
  /** Added on each side, or [top, left, bottom, right]. @default half of what the window covers beyond one pixel */
  readonly padding?: number | readonly [number, number, number, number];
}

/** Channels and window of a convolution. */
export interface ConvShape extends WindowShape {
  readonly from: number;
  readonly to: number;
  /** @default 1 */
  readonly groups?: number;
  /** @default false */
  readonly bias?: boolean;
}

/** Describes a network from top to bottom; each method returns the name of the value that its node writes. */
export class NetworkBuilder {
  readonly #nodes: NodeProto[] = [];
  readonly #tensors: TensorSpec[] = [];
  readonly #constants: TensorProto[] = [];

  conv(name: string, input: string, { from, to, groups = 1, bias = false, ...window }: ConvShape): string {
    const [height, width] = sidesOf(window.kernel);
    const inputs = [input, this.parameter(`${name}.weight`, [to, from / groups, height, width])];
    if (bias) inputs.push(this.parameter(`${name}.bias`, [to]));
    return this.node('Conv', name, inputs, [...windowAttributes(window), intAttribute('group', groups)]);
  }

  /** Over (N, C, H, W) or (N, C), affine, with running statistics. */
  batchNorm(name: string, input: string, channels: number, epsilon: number = batchNormEpsilon): string {
    const tensors = [
      this.parameter(`${name}.weight`, [channels]),
      this.parameter(`${name}.bias`, [channels]),
      this.#statistic(`${name}.running_mean`, channels),
      this.#statistic(`${name}.running_var`, channels),
    ];
    return this.node(
      'BatchNormalization',
      name,
      [input, ...tensors],
      [
        floatAttribute('epsilon', epsilon),
        floatAttribute('momentum', batchNormMomentum),
        intAttribute('training_mode', 1),
      ],
    );
  }

  /** Over the last axis, affine. */
  layerNorm(name: string, input: string, channels: number, epsilon = 1e-5): string {
    const tensors = [this.parameter(`${name}.weight`, [channels]), this.parameter(`${name}.bias`, [channels])];
    const attributes = [intAttribute('axis', -1), floatAttribute('epsilon', epsilon)];
    return this.node('LayerNormalization', name, [input, ...tensors], attributes);
  }

  /** One slope a channel. */
  prelu(name: string, input: string, channels: number): string {
    return this.node('PRelu', name, [input, this.parameter(`${name}.weight`, [channels])]);
  }

  /** Clamps to [0, highest]. */
  clamp(name: string, input: string, highest: number): string {
    if (!Number.isFinite(highest)) return this.node('Relu', name, [input]);
    const limits = [this.constant(`${name}.min`, [], [0]), this.constant(`${name}.max`, [], [highest])];
    return this.node('Clip', name, [input, ...limits]);
  }

  add(name: string, a: string, b: string): string {
    return this.node('Add', name, [a, b]);
  }

  /** Elementwise; sizes of 1 are repeated. */
  mul(name: string, a: string, b: string): string {
    return this.node('Mul', name, [a, b]);
  }

  sigmoid(name: string, input: string): string {
    return this.node('Sigmoid', name, [input]);
  }

  /** alpha · x + 0.5, clamped to [0, 1]. */
  hardSigmoid(name: string, input: string, alpha: number): string {
    return this.node('HardSigmoid', name, [input], [floatAttribute('alpha', alpha), floatAttribute('beta', 0.5)]);
  }

  /** x · Φ(x), Φ the normal distribution: x / 2 · (1 + erf(x / √2)). */
  gelu(name: string, input: string): string {
    const [root, one, half] = [Math.SQRT2, 1, 0.5].map((value) => this.#number(value)) as [string, string, string];
    const scaled = this.node('Div', `${name}.scaled`, [input, root]);
    const error = this.node('Erf', `${name}.erf`, [scaled]);
    const sum = this.node('Add', `${name}.sum`, [error, one]);
    return this.mul(name, this.mul(`${name}.weighted`, input, sum), half);
  }

  softmax(name: string, input: string, axis = -1): string {
    return this.node('Softmax', name, [input], [intAttribute('axis', axis)]);
  }

  /** Divides rows of the last axis by their L2 norm, or by 1e-12 if that is greater. */
  unit(name: string, input: string): string {
    const attributes = [intsAttribute('axes', [-1]), intAttribute('keepdims', 1)];
    const norm = this.node('ReduceL2', `${name}.norm`, [input], attributes);
    const held = this.node('Clip', `${name}.held`, [norm, this.constant(`${name}.least`, [], [1e-12])]);
    return this.node('Div', name, [input, held]);
  }

  /** Product of matrices along the last two axes. */
  matmul(name: string, a: string, b: string): string {
    return this.node('MatMul', name, [a, b]);
  }

  /** Zeroes whole channels in training. */
  channelDropout(name: string, input: string): string {
    return this.node('Dropout', name, [input]);
  }

  /** Mean over height and width: (N, C, 1, 1). */
  globalAverage(name: string, input: string): string {
    return this.node('GlobalAveragePool', name, [input]);
  }

  averagePool(name: string, input: string, window: WindowShape): string {
    return this.node('AveragePool', name, [input], windowAttributes(window));
  }

  maxPool(name: string, input: string, window: WindowShape): string {
    return this.node('MaxPool', name, [input], windowAttributes(window));
  }

  /** Resizes a square image; each pixel is that of the input whose area covers its centre. */
  resize(name: string, input: string, { from, to }: { readonly from: number; readonly to: number }): string {
    const scale = (to + 1e-3) / from; // a little more, since the size is rounded down
    const attributes = [
      stringAttribute('mode', 'nearest'),
      stringAttribute('coordinate_transformation_mode', 'half_pixel'),
      stringAttribute('nearest_mode', 'round_prefer_ceil'),
    ];
    return this.node(
      'Resize',
      name,
      [input, '', this.constant(`${name}.scales`, [4], [1, 1, scale, scale])],
      attributes,
    );
  }

  /** Joins values along an axis, by default that of the channels. */
  concat(name: string, inputs: readonly string[], axis = 1): string {
    return this.node('Concat', name, inputs, [intAttribute('axis', axis)]);
  }

  /** A part of the value along each of these axes, from `start` up to but without `end`. */
  slice(
    name: string,
    input: string,
    { axes, start, end }: { readonly axes: readonly number[]; readonly start: number; readonly end?: number },
  ): string {
    const all = (value: number): number[] => axes.map(() => value);
    const limits = [
      this.#wholes(`${name}.starts`, all(start)),
      this.#wholes(`${name}.ends`, all(end ?? 2 ** 31 - 1)),
      this.#wholes(`${name}.axes`, axes),
    ];
    return this.node('Slice', name, [input, ...limits]);
  }

  transpose(name: string, input: string, order: readonly number[]): string {
    return this.node('Transpose', name, [input], [intsAttribute('perm', order)]);
  }

  /** @param shape - one size may be -1: what is left */
  reshape(name: string, input: string, shape: readonly number[]): string {
    return this.node('Reshape', name, [input, this.#wholes(`${name}.shape`, shape)]);
  }

  /** (N, C, H, W) to (N, C · H · W). */
  flatten(name: string, input: string): string {
    return this.node('Flatten', name, [input], [intAttribute('axis', 1)]);
  }

  /** Over (N, C). */
  linear(
    name: string,
    input: string,
    inFeatures: number,
    outFeatures: number,
    { bias = true, start }: { readonly bias?: boolean; readonly start?: TensorSpec['start'] } = {},
  ): string {
    const inputs = [input, this.parameter(`${name}.weight`, [outFeatures, inFeatures], start)];
    if (bias) inputs.push(this.parameter(`${name}.bias`, [outFeatures], start === undefined ? undefined : 0));
    return this.node('Gemm', name, inputs, [intAttribute('transB', 1)]);
  }

  /** A trained tensor. @returns its name, for {@link NetworkBuilder.add} or {@link NetworkBuilder.mul} */
  parameter(name: string, shape: readonly number[], start?: TensorSpec['start']): string {
    this.#tensors.push({ name, shape, trainable: true, ...(start !== undefined && { start }) });
    return name;
  }

  /** Numbers that never change. @returns their name */
  constant(name: string, shape: readonly number[], values: ArrayLike<number>): string {
    this.#constants.push(tensorProto(name, floatTensor(shape, Float32Array.from(values))));
    return name;
  }

  /** Any operator of ONNX that writes one value. */
  node(opType: string, name: string, inputs: readonly string[], attributes: readonly AttributeProto[] = []): string {
    this.#nodes.push(newNode(opType, inputs, name, [...attributes]));
    return name;
  }

  /** @param embeddingLength - D: length of the last node's value */
  build(name: string, embeddingLength: number): Architecture {
    return { name, nodes: this.#nodes, tensors: this.#tensors, constants: this.#constants, embeddingLength };
  }

  #statistic(name: string, channels: number): string {
    this.#tensors.push({ name, shape: [channels], trainable: false });
    return name;
  }

  /** A number that several nodes may read. */
  #number(value: number): string {
    const name = `number.${value}`;
    return this.#constants.some((one) => one.name === name) ? name : this.constant(name, [], [value]);
  }

  #wholes(name: string, values: readonly number[]): string {
    const data = BigInt64Array.from(values, BigInt);
    this.#constants.push(tensorProto(name, { dims: [values.length], dtype: 'int64', data }));
    return name;
  }
}

const sidesOf = (kernel: WindowShape['kernel']): readonly [number, number] =>
  typeof kernel === 'number' ? [kernel, kernel] : kernel;

function windowAttributes({ kernel, stride = 1, padding }: WindowShape): AttributeProto[] {
  const [height, width] = sidesOf(kernel);
  const [top, left] = [(height - 1) / 2, (width - 1) / 2];
  const pads = typeof padding === 'number' ? Array<number>(4).fill(padding) : (padding ?? [top, left, top, left]);
  return [
    intsAttribute('kernel_shape', [height, width]),
    intsAttribute('strides', [stride, stride]),
    intsAttribute('pads', pads),
  ];
}

/** The batch normalisations, each of which counts its batches under `NAME.num_batches_tracked` in PyTorch. */
export function batchCounters({ nodes }: Architecture): string[] {
  return nodes.filter(({ opType }) => opType === 'BatchNormalization').map(({ name }) => `${name}.num_batches_tracked`);
}

/** Number of tensors in PyTorch's state_dict of it. */
export function stateDictSize(architecture: Architecture): number {
  return architecture.tensors.length + batchCounters(architecture).length;
}
