/**
 * EdgeFace: EdgeNeXt, convolutions with wide windows and attention among channels, with a feature as its head. `-gamma-06` has
 * each linear layer as a product of two, of 0.6 of its rank. Layers and names are those of timm's edgenext, wrapped as in the
 * authors' backbones/timmfr.py (github.com/otroshi/edgeface), so that the published weights load unchanged.
 *
 * @see George et al., EdgeFace, arXiv 2307.01838; Maaz et al., EdgeNeXt, arXiv 2206.10589
 */
import { type Architecture, inputValue, NetworkBuilder } from './builder.ts';
import { type EdgeBlock, lowRankLinear, splitTransposeBlock, windowBlock } from './edgeface-blocks.ts';

export type EdgeFaceName = 'edgeface-xxs' | 'edgeface-xs' | 'edgeface-xs-gamma-06';

/** Channels and blocks of the four stages, and the share of the rank that linear layers keep. */
interface EdgeFaceSize {
  readonly widths: readonly number[];
  readonly depths: readonly number[];
  /** @default linear layers as they are */
  readonly rank?: number;
}

const xSmall = { widths: [32, 64, 100, 192], depths: [3, 3, 9, 3] } as const;

const sizes: Readonly<Record<EdgeFaceName, EdgeFaceSize>> = {
  'edgeface-xxs': { widths: [24, 48, 88, 168], depths: [2, 2, 6, 2] },
  'edgeface-xs': xSmall,
  'edgeface-xs-gamma-06': { ...xSmall, rank: 0.6 },
};

/** Width of the windows, scales of the last block, which joins all pixels from the second stage on, by stage. */
const [kernels, scales] = [
  [3, 5, 7, 9],
  [1, 2, 3, 4],
] as const;

/** Epsilon of every LayerNorm. */
const epsilon = 1e-6;

export const edgefaceNames: readonly EdgeFaceName[] = Object.keys(sizes) as EdgeFaceName[];

/** @param embeddingLength - D @default 512 */
export function edgeface(name: EdgeFaceName, embeddingLength = 512): Architecture {
  const net = new NetworkBuilder();
  const { widths, depths, rank } = sizes[name];
  let x = net.conv('stem.0', inputValue, { from: 3, to: widths[0]!, kernel: 4, stride: 4, padding: 0, bias: true });
  x = channelNorm(net, 'stem.1', x, widths[0]!); // (N, C, 28, 28)
  for (const [stage, width] of widths.entries()) {
    const at = `stages.${stage}`;
    if (stage > 0) {
      const from = widths[stage - 1]!;
      x = channelNorm(net, `${at}.downsample.0`, x, from);
      const shape = { from, to: width, kernel: 2, stride: 2, padding: 0, bias: true };
      x = net.conv(`${at}.downsample.1`, x, shape);
    }
    const block: EdgeBlock = { width, side: 28 >> stage, rank, epsilon };
    const depth = depths[stage]!;
    for (let i = 0; i < depth; i++) {
      const blockName = `${at}.blocks.${i}`;
      x =
        stage > 0 && i === depth - 1
          ? splitTransposeBlock(net, blockName, x, { ...block, scales: scales[stage]!, hasPosition: stage === 1 })
          : windowBlock(net, blockName, x, { ...block, kernel: kernels[stage]! });
    }
  }
  const last = widths.at(-1)!;
  x = net.flatten('head.flatten', net.globalAverage('head.global_pool', x)); // (N, C)
  x = net.layerNorm('head.norm', x, last, epsilon);
  lowRankLinear(net, 'head.fc', x, { from: last, to: embeddingLength, rank }); // (N, D)
  return net.build(name, embeddingLength);
}

/** LayerNorm over the channels of each pixel. */
function channelNorm(net: NetworkBuilder, name: string, input: string, channels: number): string {
  const rows = net.transpose(`${name}.last`, input, [0, 2, 3, 1]);
  return net.transpose(`${name}.first`, net.layerNorm(name, rows, channels, epsilon), [0, 3, 1, 2]);
}
