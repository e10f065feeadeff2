/**
 * The last layers of a MobileFaceNet, from its map of (N, 128, 7, 7): two bottlenecks, a convolution, a depthwise convolution over
 * the whole map, a linear layer. They train in a fraction of the whole network's time where the front is frozen.
 */
import {
  type Architecture,
  type ConvShape,
  inputValue,
  NetworkBuilder,
} from '../../packages/magface/src/graph/networks/builder.ts';

/** Layers with weights that {@link mobilefacenetTail} has: three in each bottleneck, and three behind them. */
export const tailLayers = 9;

/** @param embeddingLength - D */
export function mobilefacenetTail(embeddingLength: number): Architecture {
  const net = new NetworkBuilder();
  const normed = (name: string, input: string, shape: ConvShape): string =>
    net.batchNorm(`${name}.bn`, net.conv(`${name}.conv`, input, shape), shape.to);
  const active = (name: string, input: string, shape: ConvShape): string =>
    net.prelu(`${name}.prelu`, normed(name, input, shape), shape.to);
  let x = inputValue; // (N, 128, 7, 7)
  for (const name of ['bottleneck.0', 'bottleneck.1']) {
    let inner = active(`${name}.expand`, x, { from: 128, to: 256, kernel: 1 });
    inner = active(`${name}.filter`, inner, { from: 256, to: 256, kernel: 3, groups: 256 });
    x = net.add(`${name}.add`, normed(`${name}.project`, inner, { from: 256, to: 128, kernel: 1 }), x);
  }
  x = active('conv2', x, { from: 128, to: 512, kernel: 1 }); // (N, 512, 7, 7)
  x = normed('gdconv', x, { from: 512, to: 512, kernel: 7, padding: 0, groups: 512 }); // (N, 512, 1, 1)
  x = net.linear('linear', net.flatten('flatten', x), 512, embeddingLength);
  net.batchNorm('features', x, embeddingLength); // (N, D)
  return net.build('mobilefacenet-tail', embeddingLength);
}
