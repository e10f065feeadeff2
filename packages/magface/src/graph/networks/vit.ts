/**
 * A small Vision Transformer for faces, as InsightFace trains it: `vit_t` and `vit_s` of its arcface_torch. Layers and names are
 * those of backbones/vit.py there. Its dropping of whole blocks and of a tenth of the patches in training is left out, as in
 * its configurations without masks.
 *
 * @see Dosovitskiy et al., An Image is Worth 16x16 Words, arXiv 2010.11929; An et al., Partial FC, arXiv 2203.15565
 */
import { type Architecture, inputValue, NetworkBuilder } from './builder.ts';

/** Values of a patch. */
const widths = { 'vit-t': 256, 'vit-s': 512 } as const;

const [depth, heads, patch] = [12, 8, 9] as const;

/** Patches in a face of 112 pixels: 12 by 12; the last 4 pixels are not seen. */
const patches = Math.floor(112 / patch) ** 2;

const weights = { start: { deviation: 0.02 } } as const;

export type VitName = keyof typeof widths;

export const vitNames: readonly VitName[] = Object.keys(widths) as VitName[];

/** @param embeddingLength - D @default 512 */
export function vit(name: VitName, embeddingLength = 512): Architecture {
  const net = new NetworkBuilder();
  const width = widths[name];
  const position = net.parameter('pos_embed', [1, patches, width], weights.start);
  const shape = { from: 3, to: width, kernel: patch, stride: patch, padding: 0, bias: true };
  let x = net.conv('patch_embed.proj', inputValue, shape); // (N, C, 12, 12)
  x = net.reshape('patch_embed.rows', x, [-1, width, patches]);
  x = net.transpose('patch_embed', x, [0, 2, 1]); // (N, 144, C)
  x = net.add('pos', x, position);
  x = net.reshape('tokens', x, [-1, width]); // (N · 144, C)
  for (let i = 0; i < depth; i++) x = block(net, `blocks.${i}`, x, width);
  x = net.layerNorm('norm', x, width);
  x = net.reshape('flatten', x, [-1, patches * width]); // (N, 144 · C)
  x = net.linear('feature.0', x, patches * width, width, { bias: false, ...weights });
  x = net.batchNorm('feature.1', x, width); // (N, C)
  x = net.linear('feature.2', x, width, embeddingLength, { bias: false, ...weights });
  net.batchNorm('feature.3', x, embeddingLength); // (N, D)
  return net.build(name, embeddingLength);
}

/** Over (N · 144, C): attention among the patches of a face, and two layers over each patch, both added. */
function block(net: NetworkBuilder, name: string, input: string, width: number): string {
  const normed = net.layerNorm(`${name}.norm1`, input, width);
  let x = net.add(`${name}.add1`, input, attention(net, `${name}.attn`, normed, width));
  const inner = net.layerNorm(`${name}.norm2`, x, width);
  let y = net.linear(`${name}.mlp.fc1`, inner, width, 4 * width, weights);
  y = net.clamp(`${name}.mlp.act`, y, 6);
  y = net.linear(`${name}.mlp.fc2`, y, 4 * width, width, weights);
  x = net.add(`${name}.add2`, x, y);
  return x;
}

/** softmax(Q Kᵀ / √d) V for each head, d its width. */
function attention(net: NetworkBuilder, name: string, input: string, width: number): string {
  const d = width / heads;
  let x = net.linear(`${name}.qkv`, input, width, 3 * width, { bias: false, ...weights });
  x = net.reshape(`${name}.parts`, x, [-1, patches, 3, heads, d]);
  x = net.transpose(`${name}.heads`, x, [2, 0, 3, 1, 4]); // (3, N, heads, 144, d)
  const [q, k, v] = ['q', 'k', 'v'].map((one, i) =>
    net.slice(`${name}.${one}`, x, { axes: [0], start: i, end: i + 1 }),
  ) as [string, string, string];
  const scores = net.matmul(`${name}.scores`, q, net.transpose(`${name}.kt`, k, [0, 1, 2, 4, 3]));
  const scaled = net.mul(`${name}.scaled`, scores, net.constant(`${name}.scale`, [], [d ** -0.5]));
  const mixed = net.matmul(`${name}.mixed`, net.softmax(`${name}.softmax`, scaled), v); // (1, N, heads, 144, d)
  x = net.transpose(`${name}.tokens`, mixed, [0, 1, 3, 2, 4]);
  x = net.reshape(`${name}.rows`, x, [-1, width]); // (N · 144, C)
  return net.linear(`${name}.proj`, x, width, width, weights);
}
