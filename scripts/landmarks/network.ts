/**
 * The network of 68 landmarks: four blocks of separable convolutions, in which each layer sees the sum of all before it.
 *
 * @see face-api.js, FaceLandmark68Net
 */
import { type Architecture, inputValue, NetworkBuilder } from '../../packages/magface/src/graph/networks/builder.ts';

/** Output channels of the blocks, each of which halves the side. */
const blocks = [32, 64, 128, 256] as const;
const layersPerBlock = 4;
export const points = 68;

/** From (N, 3, 112, 112) to (N, 136): x and y of each point as shares of the side. */
export function landmarkNetwork(): Architecture {
  const net = new NetworkBuilder();
  let [x, from] = [inputValue, 3];
  for (const [block, to] of blocks.entries()) {
    let sum = '';
    for (let layer = 0; layer < layersPerBlock; layer++) {
      const name = `dense${block}.conv${layer}`;
      const stride = layer === 0 ? 2 : 1;
      const out = layer === 0 && block === 0 ? conv(net, name, x) : separable(net, name, x, { from, to, stride });
      sum = layer === 0 ? out : net.add(`${name}.sum`, sum, out);
      x = net.clamp(`${name}.relu`, sum, Number.POSITIVE_INFINITY);
      // The first layer's sum is taken behind its Relu, the others' before it.
      if (layer === 0) sum = x;
      from = to;
    }
  }
  const pooled = net.averagePool('pool', x, { kernel: 7, stride: 2, padding: 0 });
  net.linear('fc', net.flatten('flat', pooled), from, 2 * points);
  return net.build('face-landmarks', 2 * points);
}

/** TensorFlow's padding `same` of an even side at stride 2: the odd pixel is below and to the right. */
const paddingOf = (stride: number): readonly [number, number, number, number] =>
  stride === 2 ? [0, 0, 1, 1] : [1, 1, 1, 1];

function conv(net: NetworkBuilder, name: string, input: string): string {
  return net.conv(name, input, { from: 3, to: blocks[0], kernel: 3, stride: 2, padding: paddingOf(2), bias: true });
}

function separable(
  net: NetworkBuilder,
  name: string,
  input: string,
  { from, to, stride }: { readonly from: number; readonly to: number; readonly stride: number },
): string {
  const padding = paddingOf(stride);
  const deep = net.conv(`${name}.depth`, input, { from, to: from, groups: from, kernel: 3, stride, padding });
  return net.conv(`${name}.point`, deep, { from, to, kernel: 1, bias: true });
}
