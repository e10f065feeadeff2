/**
 * GhostFaceNet: GhostNet, whose layers compute half of their channels and take the other half from these by a window on each,
 * with a depthwise convolution over the whole last map. V2 multiplies each block's first layer by attention along rows and
 * columns of the image at half its size. Named as in the paper: `-1` and `-2` are the strides of the first layer.
 *
 * The layers are those of the authors' backbones/ghost_model.py (V1) and of keras_cv_attention_models' ghostnet_v2.py, from which
 * their backbones/ghostv2.py comes (github.com/HamadYA/GhostFaceNets), with PReLU for ReLU as in their training script. Their
 * weights are Keras files; no PyTorch names are published.
 * @see Alansari et al., GhostFaceNets, IEEE Access 2023; Han et al., GhostNet, arXiv 1911.11907; Tang et al., GhostNetV2, arXiv 2211.12905
 */
import {
  type Architecture,
  type ConvShape,
  inputValue,
  NetworkBuilder,
  nearestMultiple,
  type WindowShape,
} from './builder.ts';
import { squeezeExcite } from './squeeze-excite.ts';

const sizes = {
  'ghostfacenet-v1-1': { version: 1, stride: 1 },
  'ghostfacenet-v1-2': { version: 1, stride: 2 },
  'ghostfacenet-v2-1': { version: 2, stride: 1 },
  'ghostfacenet-v2-2': { version: 2, stride: 2 },
} as const;

/** Factor on all channels. */
const width = 1.3;

/** Window, channels between and out, whether a gate follows, stride. */
const blocks = [
  [3, 16, 16, false, 1],
  [3, 48, 24, false, 2],
  [3, 72, 24, false, 1],
  [5, 72, 40, true, 2],
  [5, 120, 40, true, 1],
  [3, 240, 80, false, 2],
  [3, 200, 80, false, 1],
  [3, 184, 80, false, 1],
  [3, 184, 80, false, 1],
  [3, 480, 112, true, 1],
  [3, 672, 112, true, 1],
  [5, 672, 160, true, 2],
  [5, 960, 160, false, 1],
  [5, 960, 160, true, 1],
  [5, 960, 160, false, 1],
] as const;

/** The last block, and the convolution after it, which has as many channels as this block between. */
const lastBlock = { 1: [5, 512, 160, true, 1], 2: [5, 960, 160, true, 1] } as const;

/** Blocks of V2 without attention. */
const plainBlocks = 2;

const epsilon = 1e-5;

export type GhostFaceNetName = keyof typeof sizes;

export const ghostfacenetNames: readonly GhostFaceNetName[] = Object.keys(sizes) as GhostFaceNetName[];

/** @param embeddingLength - D @default 512 */
export function ghostfacenet(name: GhostFaceNetName, embeddingLength = 512): Architecture {
  const net = new NetworkBuilder();
  const { version, stride } = sizes[name];
  const layers = new GhostLayers(net, version);
  let from = nearestMultiple(16 * width, 4);
  let side = 112 / stride;
  let x = layers.convolution('stem', inputValue, { from: 3, to: from, ...sameWindow(3, stride, 112) });
  const all = [...blocks, lastBlock[version]];
  for (const [i, [kernel, between, out, hasGate, step]] of all.entries()) {
    const [inner, to] = [nearestMultiple(between * width, 4), nearestMultiple(out * width, 4)];
    const shape = { from, inner, to, kernel, stride: step, side, hasGate, attends: version === 2 && i >= plainBlocks };
    x = layers.bottleneck(`blocks.${i}`, x, shape);
    from = to;
    side = Math.ceil(side / step);
  }
  const last = nearestMultiple(lastBlock[version][1] * width, 4);
  x = layers.convolution('head', x, { from, to: last, kernel: 1 });
  x = net.conv('gdc.conv', x, { from: last, to: last, kernel: side, padding: 0, groups: last });
  x = net.batchNorm('gdc.bn', x, last, epsilon); // (N, C, 1, 1)
  x = net.conv('linear', x, { from: last, to: embeddingLength, kernel: 1 });
  x = net.flatten('flatten', x); // (N, D)
  net.batchNorm('features', x, embeddingLength, epsilon);
  return net.build(name, embeddingLength);
}

interface Bottleneck {
  readonly from: number;
  readonly inner: number;
  readonly to: number;
  readonly kernel: number;
  readonly stride: number;
  /** Of the image before it, in pixels. */
  readonly side: number;
  readonly hasGate: boolean;
  /** Whether the first layer is multiplied by attention. */
  readonly attends: boolean;
}

class GhostLayers {
  readonly #net: NetworkBuilder;
  readonly #version: 1 | 2;

  constructor(net: NetworkBuilder, version: 1 | 2) {
    this.#net = net;
    this.#version = version;
  }

  /** Convolution, BatchNorm, PReLU. */
  convolution(name: string, input: string, shape: ConvShape): string {
    return this.#net.prelu(`${name}.prelu`, this.#normed(name, input, shape), shape.to);
  }

  bottleneck(name: string, input: string, shape: Bottleneck): string {
    const { from, inner, to, kernel, stride, side, hasGate, attends } = shape;
    const net = this.#net;
    const window = (channels: number): ConvShape => ({
      from: channels,
      to: channels,
      groups: channels,
      ...sameWindow(kernel, stride, side),
    });
    let x = this.#ghost(`${name}.ghost1`, input, { from, to: inner, isActive: true });
    if (attends) x = net.mul(`${name}.attended`, this.#attention(`${name}.dfc`, input, { from, to: inner, side }), x);
    if (stride > 1) x = this.#normed(`${name}.down`, x, window(inner));
    if (hasGate) x = this.#gated(`${name}.se`, x, inner);
    x = this.#ghost(`${name}.ghost2`, x, { from: inner, to, isActive: false });
    let shortcut = input;
    if (from !== to || stride > 1) {
      shortcut = this.#normed(`${name}.shortcut.0`, input, window(from));
      shortcut = this.#normed(`${name}.shortcut.1`, shortcut, { from, to, kernel: 1 });
    }
    return net.add(`${name}.add`, shortcut, x);
  }

  /** Half of the channels by a pointwise convolution, the others from these by a window on each. */
  #ghost(
    name: string,
    input: string,
    { from, to, isActive }: { readonly from: number; readonly to: number; readonly isActive: boolean },
  ): string {
    const half = to / 2;
    const layer = (part: string, value: string, shape: ConvShape): string =>
      isActive ? this.convolution(part, value, shape) : this.#normed(part, value, shape);
    const primary = layer(`${name}.primary`, input, { from, to: half, kernel: 1 });
    const cheap = layer(`${name}.cheap`, primary, { from: half, to: half, kernel: 3, groups: half });
    return this.#net.concat(`${name}.joined`, [primary, cheap]);
  }

  /** Decoupled attention: at half the size a window along rows, then along columns, and back to the full size. */
  #attention(
    name: string,
    input: string,
    { from, to, side }: { readonly from: number; readonly to: number; readonly side: number },
  ): string {
    let x = this.#net.averagePool(`${name}.pool`, input, { kernel: 2, stride: 2, padding: 0 });
    x = this.#normed(`${name}.0`, x, { from, to, kernel: 1 });
    x = this.#normed(`${name}.1`, x, { from: to, to, kernel: [1, 5], groups: to });
    x = this.#normed(`${name}.2`, x, { from: to, to, kernel: [5, 1], groups: to });
    x = this.#net.sigmoid(`${name}.sigmoid`, x);
    return this.#net.resize(`${name}.full`, x, { from: Math.floor(side / 2), to: side });
  }

  #gated(name: string, input: string, channels: number): string {
    const net = this.#net;
    const inner = nearestMultiple(channels / 4, 4);
    // Keras's own hard sigmoid has a slope of 0.2, PyTorch's of 1/6.
    const alpha = this.#version === 1 ? 0.2 : 1 / 6;
    return squeezeExcite(net, name, input, {
      channels,
      inner,
      names: ['conv1', 'conv2'],
      bias: true,
      activate: (layer, value) => net.prelu(layer, value, inner),
      gate: (layer, value) => net.hardSigmoid(layer, value, alpha),
    });
  }

  #normed(name: string, input: string, shape: ConvShape): string {
    return this.#net.batchNorm(`${name}.bn`, this.#net.conv(`${name}.conv`, input, shape), shape.to, epsilon);
  }
}

/** TensorFlow's padding `same`: as much as the steps need, and the odd pixel below and to the right. */
function sameWindow(kernel: number, stride: number, side: number): WindowShape {
  const total = Math.max(0, (Math.ceil(side / stride) - 1) * stride + kernel - side);
  const [before, after] = [Math.floor(total / 2), Math.ceil(total / 2)];
  return { kernel, stride, padding: [before, before, after, after] };
}
