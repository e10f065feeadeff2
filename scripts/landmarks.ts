/**
 * Writes the package's network of 68 landmarks from the weights of `@vladmandic/face-api` (MIT), a development dependency:
 *
 *     npm run model:landmarks -- [OUTPUT]
 *
 * OUTPUT (default packages/magface/models/face-landmarks.onnx) gets the same numbers: weights stay the 8-bit numbers that the
 * package has, and the file's own nodes turn them into float32.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newNode } from '../packages/magface/src/graph/nodes.ts';
import { parseOnnx, writeOnnx } from '../packages/magface/src/graph/onnx/file.ts';
import { floatTensor, tensorProto } from '../packages/magface/src/graph/onnx/tensor.ts';
import { exportNetwork } from '../packages/magface/src/train/model/onnx-export.ts';
import { landmarkNetwork } from './landmarks/network.ts';
import { type PackedWeight, packedWeights } from './landmarks/weights.ts';

const name = 'face-landmarks';
const project = fileURLToPath(new URL('../', import.meta.url));
const output = resolve(process.argv[2] ?? join(project, 'packages/magface/models/face-landmarks.onnx'));
const folder = join(dirname(createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json')), 'model');
const [{ weights: list }] = JSON.parse(
  readFileSync(join(folder, 'face_landmark_68_model-weights_manifest.json'), 'utf8'),
);
const weights = packedWeights(list, readFileSync(join(folder, 'face_landmark_68_model.bin')));

const contract = {
  kind: 'landmarker',
  arch: 'face-api FaceLandmark68Net',
  input: {
    width: 112,
    height: 112,
    layout: 'NCHW',
    channelOrder: 'RGB',
    mean: [122.782, 117.001, 104.298],
    scale: [1 / 255, 1 / 255, 1 / 255],
  },
  licence: {
    spdx: 'MIT',
    notice:
      'The 68-point network of face-api.js by Vincent Mühler, from @vladmandic/face-api 1.7.15 (models/LICENSE-face-landmarks.txt). Its training data are not documented beyond "about 35,000 face images".',
  },
} as const;
const values = new Map([...weights].map(([key, weight]) => [key, weight.values]));
const bytes = exportNetwork(landmarkNetwork(), values, { contract, output: 'landmarks', hasMagnitude: false });
const model = parseOnnx(bytes, name);
pack(model.graph!, weights);
writeFileSync(output, writeOnnx(model, name));
process.stderr.write(`Wrote ${output}.\n`);

/** Stores the weights as 8-bit numbers, from which DequantizeLinear computes `(number − zero) · scale`. */
function pack(graph: NonNullable<typeof model.graph>, packed: ReadonlyMap<string, PackedWeight>): void {
  const nodes = graph.initializer.flatMap((stored) => {
    const { scale, zero, numbers } = packed.get(stored.name)!;
    if (zero === undefined) return [];
    const { name: weight, dims } = stored;
    const sizes = dims.map(Number);
    graph.initializer = graph.initializer.filter((one) => one !== stored);
    graph.initializer.push(
      tensorProto(`${weight}.numbers`, { dims: sizes, dtype: 'uint8', data: numbers }),
      tensorProto(`${weight}.scale`, floatTensor([], Float32Array.of(scale))),
      tensorProto(`${weight}.zero`, { dims: [], dtype: 'uint8', data: Uint8Array.of(zero) }),
    );
    return [
      newNode(
        'DequantizeLinear',
        ['numbers', 'scale', 'zero'].map((part) => `${weight}.${part}`),
        weight,
      ),
    ];
  });
  graph.node.unshift(...nodes);
}
