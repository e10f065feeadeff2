/**
 * iResNet, the official backbone: a residual network whose blocks begin with BatchNorm and whose first block of every
 * stage halves the image, 112 → 56 → 28 → 14 → 7.
 *
 * Layers and names are those of the official models/iresnet.py, so that its checkpoints load unchanged.
 * @see Duta et al., Improved Residual Networks, arXiv 2004.04989; Deng et al., ArcFace, arXiv 1801.07698
 */
import { type Architecture, inputValue, NetworkBuilder } from './builder.ts';

/** Blocks in each of the four stages. */
const blocks = {
  iresnet18: [2, 2, 2, 2],
  iresnet34: [3, 4, 6, 3],
  iresnet50: [3, 4, 14, 3],
  iresnet100: [3, 13, 30, 3],
  iresnet200: [6, 26, 60, 6],
} as const;

/** Channels of each stage. */
const widths = [64, 128, 256, 512] as const;

export type IResNetName = keyof typeof blocks;

export const iresnetNames: readonly IResNetName[] = Object.keys(blocks) as IResNetName[];

/** @param embeddingLength - D @default 512 */
export function iresnet(name: IResNetName, embeddingLength = 512): Architecture {
  const net = new NetworkBuilder();
  let x = net.conv('conv1', inputValue, { from: 3, to: 64, kernel: 3 }); // (N, 64, 112, 112)
  x = net.batchNorm('bn1', x, 64);
  x = net.prelu('prelu', x, 64);
  let channels = 64;
  for (const [stage, width] of widths.entries()) {
    for (let i = 0; i < blocks[name][stage]!; i++) {
      x = block(net, `layer${stage + 1}.${i}`, x, { from: channels, to: width, stride: i === 0 ? 2 : 1 });
      channels = width;
    }
  }
  x = net.batchNorm('bn2', x, 512); // (N, 512, 7, 7)
  x = net.channelDropout('dropout', x);
  x = net.flatten('flatten', x); // (N, 25088)
  x = net.linear('fc', x, 7 * 7 * 512, embeddingLength);
  net.batchNorm('features', x, embeddingLength); // (N, D)
  return net.build(name, embeddingLength);
}

function block(
  net: NetworkBuilder,
  name: string,
  input: string,
  shape: { readonly from: number; readonly to: number; readonly stride: number },
): string {
  const { from, to, stride } = shape;
  let x = net.batchNorm(`${name}.bn1`, input, from);
  x = net.conv(`${name}.conv1`, x, { from, to, kernel: 3 });
  x = net.batchNorm(`${name}.bn2`, x, to);
  x = net.prelu(`${name}.prelu`, x, to);
  x = net.conv(`${name}.conv2`, x, { from: to, to, kernel: 3, stride });
  x = net.batchNorm(`${name}.bn3`, x, to);
  let shortcut = input;
  if (stride !== 1 || from !== to) {
    shortcut = net.conv(`${name}.downsample.0`, input, { from, to, kernel: 1, stride });
    shortcut = net.batchNorm(`${name}.downsample.1`, shortcut, to);
  }
  return net.add(`${name}.add`, x, shortcut);
}
