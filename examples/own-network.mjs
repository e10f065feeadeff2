/**
 * Your own network in one file: depthwise and pointwise convolutions, 20,000 weights, far too small to recognise anyone but
 * quick to try. Run: magface train --train-list FOLDER --arch ./examples/own-network.mjs --output run
 *
 * To convert a checkpoint: magface convert run/CHECKPOINT.safetensors model.onnx --arch ./examples/own-network.mjs
 */
import { inputValue, NetworkBuilder } from 'magface/train';

const widths = [16, 32, 64, 64];

/** @param {number} embeddingLength - D */
export default function ownNetwork(embeddingLength) {
  const net = new NetworkBuilder();
  const convolution = (name, input, shape) => {
    const x = net.batchNorm(`${name}.bn`, net.conv(`${name}.conv`, input, shape), shape.to);
    return net.prelu(`${name}.prelu`, x, shape.to);
  };
  let x = inputValue; // (N, 3, 112, 112)
  let from = 3;
  for (const [stage, to] of widths.entries()) {
    x = convolution(`stage${stage}.down`, x, { from, to, kernel: 3, stride: 2 });
    const filtered = convolution(`stage${stage}.filter`, x, { from: to, to, kernel: 3, groups: to });
    x = net.add(`stage${stage}.add`, filtered, x);
    from = to;
  } // (N, 64, 7, 7)
  x = net.conv('pool', x, { from, to: from, kernel: 7, padding: 0, groups: from }); // (N, 64, 1, 1)
  x = net.linear('linear', net.flatten('flatten', x), from, embeddingLength);
  net.batchNorm('features', x, embeddingLength); // (N, D)
  return net.build('own-network', embeddingLength);
}
