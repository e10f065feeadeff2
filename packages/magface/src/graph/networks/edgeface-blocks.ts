/** The two blocks of EdgeNeXt: a wide window on each channel, and attention among the channels of all pixels. */
import type { NetworkBuilder } from './builder.ts';

/** What both blocks know of their place. */
export interface EdgeBlock {
  /** Channels. */
  readonly width: number;
  /** Of the image, in pixels. */
  readonly side: number;
  /** Share of the rank that linear layers keep. @default linear layers as they are */
  readonly rank: number | undefined;
  /** Of LayerNorm. */
  readonly epsilon: number;
}

const heads = 4;

/** First factor on what a block adds. */
const layerScale = 1e-6;

/** x + γ · MLP(LayerNorm(window(x))), the window on each channel. */
export function windowBlock(
  net: NetworkBuilder,
  name: string,
  input: string,
  { kernel, ...block }: EdgeBlock & { readonly kernel: number },
): string {
  const { width } = block;
  const x = net.conv(`${name}.conv_dw`, input, { from: width, to: width, kernel, groups: width, bias: true });
  const rows = net.reshape(`${name}.rows`, net.transpose(`${name}.last`, x, [0, 2, 3, 1]), [-1, width]);
  return net.add(`${name}.add`, input, bottleneck(net, name, rows, block));
}

/** Windows in steps over parts of the channels, attention among channels, and the same MLP; added to x. */
export function splitTransposeBlock(
  net: NetworkBuilder,
  name: string,
  input: string,
  { scales, hasPosition, ...block }: EdgeBlock & { readonly scales: number; readonly hasPosition: boolean },
): string {
  const { width, epsilon } = block;
  let x = inSteps(net, name, input, { width, scales });
  if (hasPosition) x = net.add(`${name}.pos`, x, position(net, `${name}.pos_embd`, block));
  x = net.transpose(`${name}.last`, x, [0, 2, 3, 1]);
  x = net.reshape(`${name}.rows`, x, [-1, width]); // (N · H · W, C)
  const normed = net.layerNorm(`${name}.norm_xca`, x, width, epsilon);
  const mixed = crossCovariance(net, `${name}.xca`, normed, block);
  const gamma = net.parameter(`${name}.gamma_xca`, [width], layerScale);
  x = net.add(`${name}.add_xca`, x, net.mul(`${name}.scaled_xca`, mixed, gamma));
  return net.add(`${name}.add`, input, bottleneck(net, name, x, block));
}

/** γ · (GELU(LayerNorm(x) W₁) W₂) of rows (N · H · W, C), as an image (N, C, H, W). */
function bottleneck(net: NetworkBuilder, name: string, rows: string, block: EdgeBlock): string {
  const { width, side, rank, epsilon } = block;
  let x = net.layerNorm(`${name}.norm`, rows, width, epsilon);
  x = lowRankLinear(net, `${name}.mlp.fc1`, x, { from: width, to: 4 * width, rank });
  x = net.gelu(`${name}.mlp.act`, x);
  x = lowRankLinear(net, `${name}.mlp.fc2`, x, { from: 4 * width, to: width, rank });
  x = net.mul(`${name}.scaled`, x, net.parameter(`${name}.gamma`, [width], layerScale));
  x = net.reshape(`${name}.image`, x, [-1, side, side, width]);
  return net.transpose(`${name}.first`, x, [0, 3, 1, 2]);
}

/** All parts but the last go through a window, each together with what the part before gave. */
function inSteps(
  net: NetworkBuilder,
  name: string,
  input: string,
  { width, scales }: { readonly width: number; readonly scales: number },
): string {
  const size = Math.ceil(width / scales);
  const part = (i: number): string =>
    net.slice(`${name}.part${i}`, input, { axes: [1], start: i * size, end: Math.min(width, (i + 1) * size) });
  const values: string[] = [];
  for (let i = 0; i < scales - 1; i++) {
    const x = i === 0 ? part(0) : net.add(`${name}.step${i}`, values[i - 1]!, part(i));
    values.push(net.conv(`${name}.convs.${i}`, x, { from: size, to: size, kernel: 3, groups: size, bias: true }));
  }
  return net.concat(`${name}.joined`, [...values, part(scales - 1)]);
}

/** Attention among the channels of a head: softmax(Q̂ K̂ᵀ · t) V, rows of Q̂ and K̂ of length 1 over all pixels. */
function crossCovariance(net: NetworkBuilder, name: string, input: string, { width, side, rank }: EdgeBlock): string {
  const d = width / heads;
  const temperature = net.parameter(`${name}.temperature`, [heads, 1, 1], 1);
  let x = lowRankLinear(net, `${name}.qkv`, input, { from: width, to: 3 * width, rank });
  x = net.reshape(`${name}.parts`, x, [-1, side * side, 3, heads, d]);
  x = net.transpose(`${name}.heads`, x, [2, 0, 3, 4, 1]); // (3, N, heads, d, H · W)
  const [q, k, v] = ['q', 'k', 'v'].map((one, i) =>
    net.slice(`${name}.${one}`, x, { axes: [0], start: i, end: i + 1 }),
  ) as [string, string, string];
  const kt = net.transpose(`${name}.kt`, net.unit(`${name}.k.unit`, k), [0, 1, 2, 4, 3]);
  const scores = net.matmul(`${name}.scores`, net.unit(`${name}.q.unit`, q), kt); // (1, N, heads, d, d)
  const attention = net.softmax(`${name}.softmax`, net.mul(`${name}.scaled`, scores, temperature));
  x = net.transpose(`${name}.tokens`, net.matmul(`${name}.mixed`, attention, v), [0, 1, 4, 2, 3]);
  x = net.reshape(`${name}.rows`, x, [-1, width]);
  return lowRankLinear(net, `${name}.proj`, x, { from: width, to: width, rank });
}

/** Sines and cosines of a pixel's row and column, through a trained pointwise convolution: (1, C, H, W). */
function position(net: NetworkBuilder, name: string, { width, side }: EdgeBlock): string {
  const half = 32;
  const waves = Float32Array.from({ length: 2 * half * side * side }, (_, i) => {
    const channel = Math.floor(i / (side * side));
    const pixel = i % (side * side);
    const at = 1 + (channel < half ? Math.floor(pixel / side) : pixel % side); // rows first
    const angle = (at / (side + 1e-6)) * 2 * Math.PI;
    const wave = channel % half;
    const x = angle / 10_000 ** ((2 * Math.floor(wave / 2)) / half);
    return wave % 2 === 0 ? Math.sin(x) : Math.cos(x);
  });
  const input = net.constant(`${name}.waves`, [1, 2 * half, side, side], waves);
  return net.conv(`${name}.token_projection`, input, { from: 2 * half, to: width, kernel: 1, bias: true });
}

/** A linear layer over (N, C), or with a rank the product of two, the first without a bias. */
export function lowRankLinear(
  net: NetworkBuilder,
  name: string,
  input: string,
  { from, to, rank }: { readonly from: number; readonly to: number; readonly rank: number | undefined },
): string {
  const weights = { start: { deviation: 0.02 } } as const;
  if (rank === undefined) return net.linear(name, input, from, to, weights);
  const inner = Math.max(2, Math.trunc(Math.min(from, to) * rank));
  const x = net.linear(`${name}.linear1`, input, from, inner, { bias: false });
  return net.linear(`${name}.linear2`, x, inner, to);
}
