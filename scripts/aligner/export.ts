/** Exports the trained network as the package's ONNX file. */

import type { Weights } from '../../packages/magface/src/graph/networks/builder.ts';
import { castNode } from '../../packages/magface/src/graph/nodes.ts';
import { parseOnnx, writeOnnx } from '../../packages/magface/src/graph/onnx/file.ts';
import { halved, tensorOf, tensorProto } from '../../packages/magface/src/graph/onnx/tensor.ts';
import { exportNetwork } from '../../packages/magface/src/train/model/onnx-export.ts';
import { alignerNetwork } from './network.ts';
import { inputSize } from './train.ts';

const name = 'face-aligner';
const step = 1 / 255;

const licence = {
  spdx: 'Apache-2.0 AND LicenseRef-research-data',
  notice:
    'Trained by this project on LFW, CelebA (for non-commercial research) and people 1 to 50 of CFP, which are research data.',
};

/** Large weights are stored in half precision and cast to float32 on loading, which halves the file at no runtime cost. */
export function exportAligner(weights: Weights): Uint8Array {
  const input = {
    width: inputSize,
    height: inputSize,
    layout: 'NCHW',
    channelOrder: 'RGB',
    mean: [0, 0, 0],
    scale: [step, step, step],
  } as const;
  const contract = { kind: 'aligner', arch: name, input, licence } as const;
  const bytes = exportNetwork(alignerNetwork(), weights, { contract, output: 'alignment', hasMagnitude: false });
  const model = parseOnnx(bytes, name);
  const graph = model.graph!;
  const isLarge = ({ rawData }: { readonly rawData: Uint8Array }): boolean => rawData.length > 1000;
  const large = graph.initializer.filter(isLarge).map((stored) => stored.name);
  graph.initializer = graph.initializer.map((stored) =>
    isLarge(stored) ? tensorProto(`${stored.name}.half`, halved(tensorOf(stored))) : stored,
  );
  graph.node.unshift(...large.map((weight) => castNode(`${weight}.half`, weight, 'float32')));
  return writeOnnx(model, name);
}
