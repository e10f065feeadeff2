/**
 * MobileFaceNet: inverted residuals of depthwise convolutions, and a depthwise convolution over the whole last map in
 * place of pooling. About a million parameters.
 *
 * @see Chen et al., MobileFaceNets, arXiv 1804.07573, table 1; ours ends in 512 values unless told otherwise
 */
import { type Architecture, batchNormEpsilon, type ConvShape, inputValue, NetworkBuilder } from './builder.ts';

/** A row of the paper's table: `repeat` blocks, the first of them with this stride. */
const stages = [
  { expansion: 2, channels: 64, repeat: 5, stride: 2 },
  { expansion: 4, channels: 128, repeat: 1, stride: 2 },
  { expansion: 2, channels: 128, repeat: 6, stride: 1 },
  { expansion: 4, channels: 128, repeat: 1, stride: 2 },
  { expansion: 2, channels: 128, repeat: 2, stride: 1 },
] as const;

/** Names with their factors on the channels of every layer but the last. */
const factors = { mobilefacenet: 1, 'mobilefacenet-half': 0.5, 'mobilefacenet-quarter': 0.25 } as const;

export type MobileFaceNetName = keyof typeof factors;

export const mobilefacenetNames: readonly MobileFaceNetName[] = Object.keys(factors) as MobileFaceNetName[];

/** @param embeddingLength - D @default 512 */
export function mobilefacenet(name: MobileFaceNetName, embeddingLength = 512): Architecture {
  const net = new NetworkBuilder();
  const activate = (layer: string, x: string, channels: number): string => net.prelu(`${layer}.prelu`, x, channels);
  const factor = factors[name];
  const blocks = new Blocks(net, { epsilon: batchNormEpsilon, activate, factor });
  const [width, last] = [64 * factor, 512 * factor];
  let x = blocks.convolution('conv1', inputValue, { from: 3, to: width, kernel: 3, stride: 2 }); // (N, 64, 56, 56)
  x = blocks.convolution('dw_conv1', x, { from: width, to: width, kernel: 3, groups: width });
  x = blocks.body(x); // (N, 512, 1, 1)
  x = net.flatten('flatten', x); // (N, 512)
  x = net.linear('linear', x, last, embeddingLength);
  net.batchNorm('features', x, embeddingLength); // (N, D)
  return net.build(name, embeddingLength);
}

/**
 * The widely used variant with ReLU6: a second, pointwise convolution after the first depthwise one (both with
 * plain ReLU), no bias before the last BatchNorm, and PyTorch's own epsilon.
 *
 * @param embeddingLength - D @default 512; the published weights have 128
 */
export function mobilefacenetRelu6(embeddingLength = 512): Architecture {
  const net = new NetworkBuilder();
  const epsilon = 1e-5;
  const withRelu = (highest: number): Blocks =>
    new Blocks(net, { epsilon, activate: (name, x) => net.clamp(`${name}.relu`, x, highest), factor: 1 });
  const [blocks, plain] = [withRelu(6), withRelu(Number.POSITIVE_INFINITY)];
  let x = blocks.convolution('conv1', inputValue, { from: 3, to: 64, kernel: 3, stride: 2 }); // (N, 64, 56, 56)
  x = plain.convolution('dw_conv1', x, { from: 64, to: 64, kernel: 3, groups: 64 });
  x = plain.convolution('pw_conv1', x, { from: 64, to: 64, kernel: 1 });
  x = blocks.body(x); // (N, 512, 1, 1)
  x = net.conv('linear', x, { from: 512, to: embeddingLength, kernel: 1 });
  x = net.batchNorm('features', x, embeddingLength, epsilon);
  net.flatten('flatten', x); // (N, D)
  return net.build('mobilefacenet-relu6', embeddingLength);
}

interface BlockSettings {
  /** Epsilon of BatchNorm. */
  readonly epsilon: number;
  /** Adds the activation of a convolution's value. */
  readonly activate: (name: string, input: string, channels: number) => string;
  /** Factor on the channels of all layers. */
  readonly factor: number;
}

/** The parts that all variants share. */
class Blocks {
  readonly #net: NetworkBuilder;
  readonly #settings: BlockSettings;

  constructor(net: NetworkBuilder, settings: BlockSettings) {
    this.#net = net;
    this.#settings = settings;
  }

  /** Convolution, BatchNorm, activation. */
  convolution(name: string, input: string, shape: ConvShape): string {
    return this.#settings.activate(name, this.#normed(name, input, shape), shape.to);
  }

  /** From (N, 64, 56, 56) to (N, 512, 1, 1): the table's bottlenecks and the depthwise convolution over the last map. */
  body(input: string): string {
    const { factor } = this.#settings;
    const last = 512 * factor;
    let x = input;
    let channels = 64 * factor;
    let index = 0;
    for (const { expansion, channels: full, repeat, stride } of stages) {
      const width = full * factor;
      for (let i = 0; i < repeat; i++) {
        const shape = { from: channels, to: width, inner: channels * expansion, stride: i === 0 ? stride : 1 };
        x = this.#bottleneck(`bottleneck.${index++}`, x, shape);
        channels = width;
      }
    }
    x = this.convolution('conv2', x, { from: channels, to: last, kernel: 1 }); // (N, 512, 7, 7)
    return this.#normed('gdconv', x, { from: last, to: last, kernel: 7, padding: 0, groups: last });
  }

  /** Widen, filter each channel, narrow without activation; added to the input where the shapes allow. */
  #bottleneck(
    name: string,
    input: string,
    shape: { readonly from: number; readonly to: number; readonly inner: number; readonly stride: number },
  ): string {
    const { from, to, inner, stride } = shape;
    let x = this.convolution(`${name}.expand`, input, { from, to: inner, kernel: 1 });
    x = this.convolution(`${name}.filter`, x, { from: inner, to: inner, kernel: 3, stride, groups: inner });
    x = this.#normed(`${name}.project`, x, { from: inner, to, kernel: 1 });
    return stride === 1 && from === to ? this.#net.add(`${name}.add`, x, input) : x;
  }

  #normed(name: string, input: string, shape: ConvShape): string {
    const x = this.#net.conv(`${name}.conv`, input, shape);
    return this.#net.batchNorm(`${name}.bn`, x, shape.to, this.#settings.epsilon);
  }
}
