/**
 * MobileFaceNet: inverted residuals of depthwise convolutions, and a depthwise convolution over the whole last map in
 * place of pooling. About a million parameters.
 *
 * @see Chen et al., MobileFaceNets, arXiv 1804.07573, table 1; ours ends in 512 values unless told otherwise
 */
import { type Architecture, inputValue, LayerList } from './layers.ts';

/** A row of the paper's table: `repeat` blocks, the first of them with this stride. */
const stages = [
  { expansion: 2, channels: 64, repeat: 5, stride: 2 },
  { expansion: 4, channels: 128, repeat: 1, stride: 2 },
  { expansion: 2, channels: 128, repeat: 6, stride: 1 },
  { expansion: 4, channels: 128, repeat: 1, stride: 2 },
  { expansion: 2, channels: 128, repeat: 2, stride: 1 },
] as const;

/** @param embeddingLength - D @default 512 */
export function mobilefacenet(embeddingLength = 512): Architecture {
  const list = new LayerList();
  let x = convolution(list, 'conv1', inputValue, { from: 3, to: 64, kernel: 3, stride: 2 }); // (N, 64, 56, 56)
  x = convolution(list, 'dw_conv1', x, { from: 64, to: 64, kernel: 3, groups: 64 });
  let channels: number = 64;
  let index = 0;
  for (const { expansion, channels: width, repeat, stride } of stages) {
    for (let i = 0; i < repeat; i++) {
      const shape = { from: channels, to: width, inner: channels * expansion, stride: i === 0 ? stride : 1 };
      x = bottleneck(list, `bottleneck.${index++}`, x, shape);
      channels = width;
    }
  }
  x = convolution(list, 'conv2', x, { from: channels, to: 512, kernel: 1 }); // (N, 512, 7, 7)
  x = list.conv('gdconv.conv', x, { from: 512, to: 512, kernel: 7, padding: 0, groups: 512 }); // (N, 512, 1, 1)
  x = list.batchNorm('gdconv.bn', x, 512);
  x = list.flatten('flatten', x); // (N, 512)
  x = list.linear('linear', x, 512, embeddingLength);
  list.batchNorm('features', x, embeddingLength); // (N, D)
  return { name: 'mobilefacenet', layers: list.layers, embeddingLength };
}

/** Convolution, BatchNorm, PReLU. */
function convolution(list: LayerList, name: string, input: string, shape: Parameters<LayerList['conv']>[2]): string {
  let x = list.conv(`${name}.conv`, input, shape);
  x = list.batchNorm(`${name}.bn`, x, shape.to);
  return list.prelu(`${name}.prelu`, x, shape.to);
}

/** Widen, filter each channel, narrow without activation; added to the input where the shapes allow. */
function bottleneck(
  list: LayerList,
  name: string,
  input: string,
  shape: { readonly from: number; readonly to: number; readonly inner: number; readonly stride: number },
): string {
  const { from, to, inner, stride } = shape;
  let x = convolution(list, `${name}.expand`, input, { from, to: inner, kernel: 1 });
  x = convolution(list, `${name}.filter`, x, { from: inner, to: inner, kernel: 3, stride, groups: inner });
  x = list.conv(`${name}.project.conv`, x, { from: inner, to, kernel: 1 });
  x = list.batchNorm(`${name}.project.bn`, x, to);
  return stride === 1 && from === to ? list.add(`${name}.add`, x, input) : x;
}
