/**
 * Networks as data: nodes with ONNX's operators over tensors with PyTorch's names. One description serves training
 * (torch/network.ts runs it), export (train/model/onnx-export.ts writes it down), and counting.
 */
import { floatAttribute, intAttribute, intsAttribute, newNode } from '../nodes.ts';
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
}

/** A network's weights and running statistics, by PyTorch's names. */
export type Weights = ReadonlyMap<string, Float32Array>;

/** Epsilon of every BatchNorm of the official models. */
export const batchNormEpsilon = 2e-5;

/** The official models' share of the old running statistics in ONNX's convention; PyTorch calls the other part 0.9. */
const batchNormMomentum = 0.1;

/** Name of the value that the first node reads. */
export const inputValue = 'input';

/** Channels and window of a convolution. */
export interface ConvShape {
  readonly from: number;
  readonly to: number;
  /** Width and height of the window. */
  readonly kernel: number;
  /** @default 1 */
  readonly stride?: number;
  /** Zeros on each side. @default (kernel - 1) / 2 */
  readonly padding?: number;
  /** @default 1 */
  readonly groups?: number;
}

/** Describes a network from top to bottom; each method returns the name of the value that its node writes. */
export class NetworkBuilder {
  readonly #nodes: NodeProto[] = [];
  readonly #tensors: TensorSpec[] = [];
  readonly #constants: TensorProto[] = [];

  /** A convolution without a bias. */
  conv(name: string, input: string, { from, to, kernel, ...window }: ConvShape): string {
    const { stride = 1, padding = (kernel - 1) / 2, groups = 1 } = window;
    const weight = this.#tensor(`${name}.weight`, [to, from / groups, kernel, kernel]);
    return this.#node(
      'Conv',
      name,
      [input, weight],
      [
        intsAttribute('kernel_shape', [kernel, kernel]),
        intsAttribute('strides', [stride, stride]),
        intsAttribute('pads', Array<number>(4).fill(padding)),
        intAttribute('group', groups),
      ],
    );
  }

  /** Over (N, C, H, W) or (N, C), affine, with running statistics. */
  batchNorm(name: string, input: string, channels: number, epsilon: number = batchNormEpsilon): string {
    const tensors = [
      this.#tensor(`${name}.weight`, [channels]),
      this.#tensor(`${name}.bias`, [channels]),
      this.#tensor(`${name}.running_mean`, [channels], false),
      this.#tensor(`${name}.running_var`, [channels], false),
    ];
    return this.#node(
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

  /** One slope a channel. */
  prelu(name: string, input: string, channels: number): string {
    return this.#node('PRelu', name, [input, this.#tensor(`${name}.weight`, [channels])]);
  }

  /** Clamps to [0, highest]. */
  clamp(name: string, input: string, highest: number): string {
    if (!Number.isFinite(highest)) return this.#node('Relu', name, [input]);
    const limits = { min: 0, max: highest };
    for (const [limit, value] of Object.entries(limits))
      this.#constants.push(tensorProto(`${name}.${limit}`, floatTensor([], Float32Array.of(value))));
    return this.#node('Clip', name, [input, `${name}.min`, `${name}.max`]);
  }

  add(name: string, a: string, b: string): string {
    return this.#node('Add', name, [a, b]);
  }

  /** Zeroes whole channels in training. */
  channelDropout(name: string, input: string): string {
    return this.#node('Dropout', name, [input]);
  }

  /** (N, C, H, W) to (N, C · H · W). */
  flatten(name: string, input: string): string {
    return this.#node('Flatten', name, [input], [intAttribute('axis', 1)]);
  }

  linear(name: string, input: string, inFeatures: number, outFeatures: number): string {
    const weight = this.#tensor(`${name}.weight`, [outFeatures, inFeatures]);
    const bias = this.#tensor(`${name}.bias`, [outFeatures]);
    return this.#node('Gemm', name, [input, weight, bias], [intAttribute('transB', 1)]);
  }

  /** @param embeddingLength - D: length of the last node's value */
  build(name: string, embeddingLength: number): Architecture {
    return { name, nodes: this.#nodes, tensors: this.#tensors, constants: this.#constants, embeddingLength };
  }

  #tensor(name: string, shape: readonly number[], trainable = true): string {
    this.#tensors.push({ name, shape, trainable });
    return name;
  }

  #node(opType: string, name: string, inputs: readonly string[], attributes: AttributeProto[] = []): string {
    this.#nodes.push(newNode(opType, inputs, name, attributes));
    return name;
  }
}

/** The batch normalisations, each of which counts its batches under `NAME.num_batches_tracked` in PyTorch. */
export function batchCounters({ nodes }: Architecture): string[] {
  return nodes.filter(({ opType }) => opType === 'BatchNormalization').map(({ name }) => `${name}.num_batches_tracked`);
}

/** Number of tensors in PyTorch's state_dict of it. */
export function stateDictSize(architecture: Architecture): number {
  return architecture.tensors.length + batchCounters(architecture).length;
}
