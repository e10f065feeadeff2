/**
 * MixFaceNet: inverted residuals whose depthwise convolutions mix windows of several sizes, each over a part of the channels.
 * Layers and names are those of the authors' backbones/mixnetm.py (github.com/fdbtrs/mixfacenets), without the shuffling of
 * channels of its Shuffle variants.
 *
 * @see Boutros et al., MixFaceNets, arXiv 2107.13046; Tan and Le, MixConv, arXiv 1907.09595
 */
import { type Architecture, type ConvShape, inputValue, NetworkBuilder, nearestMultiple } from './builder.ts';
import { squeezeExcite } from './squeeze-excite.ts';

/** Factor on the channels of the blocks, and channels before the last depthwise convolution. */
const sizes = {
  'mixfacenet-xs': { factor: 0.5, last: 512 },
  'mixfacenet-s': { factor: 1, last: 1024 },
} as const;

/** A block: channels out, parts of the widening, of the windows (3, 5, 7, ...) and of the narrowing, widening, gate. */
type Unit = readonly [to: number, expand: number, windows: number, project: number, factor: number, reduction: number];

/** MixNet-S. Stages start with a stride of 2, except the first; the last one has its stride in its middle. */
const stages: readonly (readonly Unit[])[] = [
  [
    [24, 2, 1, 2, 6, 0],
    [24, 2, 1, 2, 3, 0],
  ],
  [
    [40, 1, 3, 1, 6, 2],
    [40, 2, 2, 2, 6, 2],
    [40, 2, 2, 2, 6, 2],
    [40, 2, 2, 2, 6, 2],
  ],
  [
    [80, 1, 3, 2, 6, 4],
    [80, 1, 2, 2, 6, 4],
    [80, 1, 2, 2, 6, 4],
  ],
  [
    [120, 2, 3, 2, 6, 2],
    [120, 2, 4, 2, 3, 2],
    [120, 2, 4, 2, 3, 2],
    [200, 1, 5, 1, 6, 2],
    [200, 1, 4, 2, 6, 2],
    [200, 1, 4, 2, 6, 2],
  ],
];

const epsilon = 1e-5;

export type MixFaceNetName = keyof typeof sizes;

export const mixfacenetNames: readonly MixFaceNetName[] = Object.keys(sizes) as MixFaceNetName[];

/** @param embeddingLength - D @default 512 */
export function mixfacenet(name: MixFaceNetName, embeddingLength = 512): Architecture {
  const net = new NetworkBuilder();
  const { factor, last } = sizes[name];
  const first = nearestMultiple(16 * factor, 8);
  let x = convolution(net, 'features.init_block.conv1', inputValue, {
    from: 3,
    to: first,
    kernel: 3,
    stride: 2,
  }); // (N, 16, 56, 56)
  x = unit(net, 'features.init_block.conv2', x, {
    from: first,
    unit: [first, 1, 1, 1, 1, 0],
    stride: 1,
    activation: 'prelu',
  });
  let from = first;
  for (const [i, units] of stages.entries()) {
    for (const [j, [to, ...rest]] of units.entries()) {
      const isStrided = i === 3 ? j === units.length / 2 : i !== 0 && j === 0;
      const width = nearestMultiple(to * factor, 8);
      x = unit(net, `features.stage${i + 1}.unit${j + 1}`, x, {
        from,
        unit: [width, ...rest],
        stride: isStrided ? 2 : 1,
        activation: i === 0 ? 'prelu' : 'swish',
      });
      from = width;
    }
  }
  x = convolution(net, 'tail', x, { from, to: last, kernel: 1 }); // (N, last, 7, 7)
  const depthwise = { from: last, to: last, kernel: 7, padding: 0, groups: last };
  x = normed(net, 'feautre_layer.dw_conv', x, depthwise);
  x = net.conv('feautre_layer.pw_conv.conv', x, { from: last, to: embeddingLength, kernel: 1 });
  x = net.flatten('flatten', x); // (N, D)
  net.batchNorm('features_norm', x, embeddingLength, epsilon);
  return net.build(name, embeddingLength);
}

type Activation = 'prelu' | 'swish';

function unit(
  net: NetworkBuilder,
  name: string,
  input: string,
  shape: { readonly from: number; readonly unit: Unit; readonly stride: number; readonly activation: Activation },
): string {
  const { from, stride, activation } = shape;
  const [to, expand, windows, project, factor, reduction] = shape.unit;
  const inner = factor * from;
  const activate = (layer: string, value: string): string => activated(net, layer, value, { activation, inner });
  let x = input;
  if (factor > 1) {
    x = mixed(net, `${name}.exp_conv`, x, { from, to: inner, kernels: Array<number>(expand).fill(1) });
    x = activate(`${name}.exp_conv.activ`, x);
  }
  const kernels = Array.from({ length: windows }, (_, i) => 3 + 2 * i);
  x = mixed(net, `${name}.conv1`, x, { from: inner, to: inner, kernels, stride, isDepthwise: true });
  x = activate(`${name}.conv1.activ`, x);
  if (reduction > 0) {
    x = squeezeExcite(net, `${name}.se`, x, {
      channels: inner,
      inner: Math.floor(inner / (factor * reduction)),
      names: ['conv1', 'conv2'],
      bias: true,
      activate,
    });
  }
  x = mixed(net, `${name}.conv2`, x, { from: inner, to, kernels: Array<number>(project).fill(1) });
  return from === to && stride === 1 ? net.add(`${name}.add`, x, input) : x;
}

/** A convolution with a window for each part of the channels, and BatchNorm over all. */
function mixed(
  net: NetworkBuilder,
  name: string,
  input: string,
  shape: {
    readonly from: number;
    readonly to: number;
    readonly kernels: readonly number[];
    readonly stride?: number;
    readonly isDepthwise?: boolean;
  },
): string {
  const { from, to, kernels, stride = 1, isDepthwise = false } = shape;
  const groups = (channels: number): number => (isDepthwise ? channels : 1);
  if (kernels.length === 1)
    return normed(net, name, input, { from, to, kernel: kernels[0]!, stride, groups: groups(from) });
  const [ins, outs] = [parts(from, kernels.length), parts(to, kernels.length)];
  let start = 0;
  const values = kernels.map((kernel, i) => {
    const channels = ins[i]!;
    const part = net.slice(`${name}.part${i}`, input, { axes: [1], start, end: start + channels });
    start += channels;
    const size = { from: channels, to: outs[i]!, kernel, stride, groups: groups(channels) };
    return net.conv(`${name}.conv.${i}`, part, size);
  });
  return net.batchNorm(`${name}.bn`, net.concat(`${name}.joined`, values), to, epsilon);
}

function activated(
  net: NetworkBuilder,
  name: string,
  input: string,
  { activation, inner }: { readonly activation: Activation; readonly inner: number },
): string {
  if (activation === 'prelu') return net.prelu(name, input, inner);
  return net.mul(name, input, net.sigmoid(`${name}.sigmoid`, input)); // x · σ(x)
}

function normed(net: NetworkBuilder, name: string, input: string, shape: ConvShape): string {
  return net.batchNorm(`${name}.bn`, net.conv(`${name}.conv`, input, shape), shape.to, epsilon);
}

function convolution(net: NetworkBuilder, name: string, input: string, shape: ConvShape): string {
  return net.prelu(`${name}.activ`, normed(net, name, input, shape), shape.to);
}

/** Equal parts; the first takes what is left over. */
function parts(channels: number, count: number): number[] {
  const size = Math.floor(channels / count);
  return Array.from({ length: count }, (_, i) => (i === 0 ? channels - size * (count - 1) : size));
}
