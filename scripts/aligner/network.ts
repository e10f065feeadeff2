/** The aligner's network: (N, 3, 80, 80) RGB / 255 to (N, 5); residual blocks at 20 x 20 and 10 x 10 pixels. */
import { type Architecture, inputValue, NetworkBuilder } from '../../packages/magface/src/graph/networks/builder.ts';

/** Channels at 40 x 40, 20 x 20, 10 x 10 and 5 x 5 pixels. */
const widths = [16, 32, 64, 96] as const;

export function alignerNetwork(): Architecture {
  const net = new NetworkBuilder();
  const [first, second, third, last] = widths;
  const halving = (name: string, input: string, from: number, to: number): string => {
    const convolved = net.conv(`${name}.conv`, input, { from, to, kernel: 3, stride: 2 });
    return net.prelu(`${name}.prelu`, net.batchNorm(`${name}.bn`, convolved, to), to);
  };
  const residual = (name: string, input: string, channels: number): string => {
    const shape = { from: channels, to: channels, kernel: 3 };
    let x = net.batchNorm(`${name}.bn1`, net.conv(`${name}.conv1`, input, shape), channels);
    x = net.prelu(`${name}.prelu`, x, channels);
    x = net.batchNorm(`${name}.bn2`, net.conv(`${name}.conv2`, x, shape), channels);
    return net.add(`${name}.add`, x, input);
  };
  let x = halving('stage1', inputValue, 3, first); // (N, 16, 40, 40)
  x = residual('block2', halving('stage2', x, first, second), second); // (N, 32, 20, 20)
  x = residual('block3', halving('stage3', x, second, third), third); // (N, 64, 10, 10)
  x = halving('stage4', x, third, last); // (N, 96, 5, 5)
  net.linear('alignment', net.flatten('flatten', x), last * 25, 5);
  return net.build('face-aligner', 5);
}
