/**
 * MobileFaceNet as InsightFace trains it, twice and four times as wide: `mbf` and `mbf_large` of its arcface_torch. Layers and
 * names are those of backbones/mobilefacenet.py there, so that its weights load unchanged.
 *
 * @see Chen et al., MobileFaceNets, arXiv 1804.07573
 */
import { type Architecture, type ConvShape, inputValue, NetworkBuilder } from './builder.ts';

/** Blocks of the four stages, and how much wider than 64 channels the first layers are. */
const sizes = {
  mbf: { blocks: [1, 4, 6, 2], scale: 2 },
  'mbf-large': { blocks: [2, 8, 12, 4], scale: 4 },
} as const;

const epsilon = 1e-5;

export type MbfName = keyof typeof sizes;

export const mbfNames: readonly MbfName[] = Object.keys(sizes) as MbfName[];

/** Channels of a block: in, out, and between. */
interface Widths {
  readonly from: number;
  readonly to: number;
  readonly inner: number;
  readonly stride: number;
}

/** @param embeddingLength - D @default 512 */
export function mbf(name: MbfName, embeddingLength = 512): Architecture {
  const net = new NetworkBuilder();
  const { blocks, scale } = sizes[name];
  const [narrow, wide] = [64 * scale, 128 * scale];
  let x = convolution(net, 'layers.0', inputValue, { from: 3, to: narrow, kernel: 3, stride: 2 }); // (N, 64 s, 56, 56)
  x =
    name === 'mbf'
      ? convolution(net, 'layers.1', x, { from: narrow, to: narrow, kernel: 3, groups: 64 })
      : residuals(net, 'layers.1', x, { count: blocks[0], channels: narrow, inner: 128 });
  const stages = [
    { to: narrow, inner: 128, between: 128 },
    { to: wide, inner: 256, between: 256 },
    { to: wide, inner: 512, between: 256 },
  ];
  let from = narrow;
  for (const [stage, { to, inner, between }] of stages.entries()) {
    x = bottleneck(net, `layers.${2 * stage + 2}`, x, { from, to, inner, stride: 2 });
    const residual = { count: blocks[stage + 1]!, channels: to, inner: between };
    x = residuals(net, `layers.${2 * stage + 3}`, x, residual);
    from = to;
  }
  x = convolution(net, 'conv_sep', x, { from, to: 512, kernel: 1 }); // (N, 512, 7, 7)
  x = normed(net, 'features.layers.0', x, { from: 512, to: 512, kernel: 7, padding: 0, groups: 512 });
  x = net.flatten('features.layers.1', x); // (N, 512)
  x = net.linear('features.layers.2', x, 512, embeddingLength, { bias: false });
  net.batchNorm('features.layers.3', x, embeddingLength, epsilon); // (N, D)
  return net.build(name, embeddingLength);
}

function normed(net: NetworkBuilder, name: string, input: string, shape: ConvShape): string {
  return net.batchNorm(`${name}.layers.1`, net.conv(`${name}.layers.0`, input, shape), shape.to, epsilon);
}

function convolution(net: NetworkBuilder, name: string, input: string, shape: ConvShape): string {
  return net.prelu(`${name}.layers.2`, normed(net, name, input, shape), shape.to);
}

/** Widen, filter each channel, narrow without activation. */
function bottleneck(net: NetworkBuilder, name: string, input: string, { from, to, inner, stride }: Widths): string {
  let x = convolution(net, `${name}.layers.0`, input, { from, to: inner, kernel: 1 });
  x = convolution(net, `${name}.layers.1`, x, { from: inner, to: inner, kernel: 3, stride, groups: inner });
  return normed(net, `${name}.layers.2`, x, { from: inner, to, kernel: 1 });
}

function residuals(
  net: NetworkBuilder,
  name: string,
  input: string,
  { count, channels, inner }: { readonly count: number; readonly channels: number; readonly inner: number },
): string {
  let x = input;
  for (let i = 0; i < count; i++) {
    const block = `${name}.layers.${i}`;
    x = net.add(`${block}.add`, x, bottleneck(net, block, x, { from: channels, to: channels, inner, stride: 1 }));
  }
  return x;
}
