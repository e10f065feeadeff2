/**
 * Your own network in one file: depthwise and pointwise convolutions, 20,000 weights, far too small to recognise anyone but
 * quick to try. Run: magface train --train-list FOLDER --arch ./examples/own-network.mjs --output run
 *
 * To convert a checkpoint: magface convert run/CHECKPOINT.safetensors model.onnx --arch ./examples/own-network.mjs
 */
import { inputValue, LayerList } from 'magface/train';

const widths = [16, 32, 64, 64];

/** @param {number} embeddingLength - D */
export default function ownNetwork(embeddingLength) {
  const list = new LayerList();
  const convolution = (name, input, shape) => {
    const x = list.batchNorm(`${name}.bn`, list.conv(`${name}.conv`, input, shape), shape.to);
    return list.prelu(`${name}.prelu`, x, shape.to);
  };
  let x = inputValue; // (N, 3, 112, 112)
  let from = 3;
  for (const [stage, to] of widths.entries()) {
    x = convolution(`stage${stage}.down`, x, { from, to, kernel: 3, stride: 2 });
    const filtered = convolution(`stage${stage}.filter`, x, { from: to, to, kernel: 3, groups: to });
    x = list.add(`stage${stage}.add`, filtered, x);
    from = to;
  } // (N, 64, 7, 7)
  x = list.conv('pool', x, { from, to: from, kernel: 7, padding: 0, groups: from }); // (N, 64, 1, 1)
  x = list.linear('linear', list.flatten('flatten', x), from, embeddingLength);
  list.batchNorm('features', x, embeddingLength); // (N, D)
  return { name: 'own-network', layers: list.layers, embeddingLength };
}
