/**
 * IR-SE: the residual network of ArcFace with a gate on the channels of each block (squeeze and excitation).
 *
 * Layers and names are those of the PyTorch repositories that publish such weights (github.com/ZhaoJ9014/face.evoLVe,
 * backbone/model_irse.py; github.com/TreB1eN/InsightFace_Pytorch, model.py), so that these load unchanged.
 * @see Deng et al., ArcFace, arXiv 1801.07698; Hu et al., Squeeze-and-Excitation Networks, arXiv 1709.01507
 */
import { type Architecture, inputValue, NetworkBuilder } from './builder.ts';
import { squeezeExcite } from './squeeze-excite.ts';

/** Blocks in each of the four stages. */
const blocks = { irse50: [3, 4, 14, 3], irse100: [3, 13, 30, 3], irse152: [3, 8, 36, 3] } as const;

/** Channels of each stage. */
const widths = [64, 128, 256, 512] as const;

/** By how much the gate narrows the channels. */
const reduction = 16;

const epsilon = 1e-5;

export type IrSeName = keyof typeof blocks;

export const irseNames: readonly IrSeName[] = Object.keys(blocks) as IrSeName[];

/** @param embeddingLength - D @default 512 */
export function irse(name: IrSeName, embeddingLength = 512): Architecture {
  const net = new NetworkBuilder();
  let x = net.conv('input_layer.0', inputValue, { from: 3, to: 64, kernel: 3 }); // (N, 64, 112, 112)
  x = net.batchNorm('input_layer.1', x, 64, epsilon);
  x = net.prelu('input_layer.2', x, 64);
  let [index, channels] = [0, 64];
  for (const [stage, width] of widths.entries()) {
    for (let i = 0; i < blocks[name][stage]!; i++) {
      x = block(net, `body.${index++}`, x, { from: channels, to: width, stride: i === 0 ? 2 : 1 });
      channels = width;
    }
  }
  x = net.batchNorm('output_layer.0', x, 512, epsilon); // (N, 512, 7, 7)
  x = net.channelDropout('output_layer.1', x);
  x = net.flatten('output_layer.2', x); // (N, 25088)
  x = net.linear('output_layer.3', x, 7 * 7 * 512, embeddingLength);
  net.batchNorm('output_layer.4', x, embeddingLength, epsilon); // (N, D)
  return net.build(name, embeddingLength);
}

function block(
  net: NetworkBuilder,
  name: string,
  input: string,
  { from, to, stride }: { readonly from: number; readonly to: number; readonly stride: number },
): string {
  let shortcut = input;
  if (from !== to) {
    shortcut = net.conv(`${name}.shortcut_layer.0`, input, { from, to, kernel: 1, stride });
    shortcut = net.batchNorm(`${name}.shortcut_layer.1`, shortcut, to, epsilon);
  } else if (stride > 1) shortcut = net.maxPool(`${name}.shortcut_layer`, input, { kernel: 1, stride });
  let x = net.batchNorm(`${name}.res_layer.0`, input, from, epsilon);
  x = net.conv(`${name}.res_layer.1`, x, { from, to, kernel: 3 });
  x = net.prelu(`${name}.res_layer.2`, x, to);
  x = net.conv(`${name}.res_layer.3`, x, { from: to, to, kernel: 3, stride });
  x = net.batchNorm(`${name}.res_layer.4`, x, to, epsilon);
  x = squeezeExcite(net, `${name}.res_layer.5`, x, {
    channels: to,
    inner: to / reduction,
    names: ['fc1', 'fc2'],
    bias: false,
    activate: (layer, value) => net.clamp(layer, value, Number.POSITIVE_INFINITY),
  });
  return net.add(`${name}.add`, x, shortcut);
}
