/**
 * Measures what bfloat16 costs in accuracy, or Winograd in float32 on processors without bfloat16: compares embeddings of
 * the torch engine with those of ONNX Runtime, and the accuracy of both on LFW's ten folds by plain cosine:
 *
 *     npx tsx -C magface:source bench/engine-accuracy.ts --model M --name NAME [--every N] [--threads N]
 *
 * `--every 3` uses every third pair of each fold. Needs LFW (`npm run data -- lfw`). Writes
 * bench/results/engine-accuracy-NAME.json (without bfloat16, with the kernels' name before NAME).
 */
import { readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { compare, MagFace } from 'magface';
import { readPairList } from '../packages/magface/src/eval/pair-list.ts';
import { resolvePairs } from '../packages/magface/src/eval/pairs.ts';
import { verify } from '../packages/magface/src/eval/verification.ts';
import { researchFolder } from './support/data.ts';
import { embedFaces } from './support/embed-faces.ts';
import { forProcessor } from './support/for-processor.ts';
import { writeResult } from './support/result.ts';

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string' },
    name: { type: 'string', default: 'model' },
    every: { type: 'string', default: '1' },
    threads: { type: 'string', default: '1' },
  },
});
const shared = researchFolder('faces/lfw');
const folder = `${shared}faces/lfw/aligned/`;
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.jpg'))
  .map((name) => name.replaceAll('\\', '/'))
  .sort();
const all = await readPairList(`${shared}faces/lfw/pairs.txt`);
const taken = (_: unknown, i: number): boolean => i % Number(flags.every) === 0;
const pairs = {
  left: all.left.filter(taken),
  right: all.right.filter(taken),
  same: all.same.filter(taken),
  columns: {},
};
const rows = resolvePairs(pairs, { names: files, values: new Float32Array(files.length), dimension: 1 });
const names = files.filter((_, i) => rows.left.includes(i) || rows.right.includes(i));

async function embedded(engine: 'onnx' | 'torch') {
  const threads = Number(flags.threads);
  await using magface = await MagFace.load({ model: flags.model, detector: false, engine, threads, batchSize: 8 });
  const { values, dimension, magnitudes } = await embedFaces(
    magface,
    names.map((name) => folder + name),
    false,
  );
  const features = { names, values, dimension };
  return { features, magnitudes, verified: verify(features, resolvePairs(pairs, features)) };
}

const [onnx, torch] = [await embedded('onnx'), await embedded('torch')];
const row = ({ values, dimension }: typeof onnx.features, i: number): Float32Array =>
  values.subarray(i * dimension, (i + 1) * dimension);
const cosines = names.map((_, i) => compare(row(onnx.features, i), row(torch.features, i)));
const changes = names.map((_, i) => Math.abs(torch.magnitudes[i]! / onnx.magnitudes[i]! - 1));
writeResult(`${forProcessor('engine-accuracy')}-${flags.name}`, {
  model: flags.name,
  images: names.length,
  pairs: pairs.same.length,
  leastCosine: Number(Math.min(...cosines).toFixed(6)),
  meanCosine: Number((cosines.reduce((sum, value) => sum + value, 0) / cosines.length).toFixed(6)),
  greatestChangeOfMagnitude: Number(Math.max(...changes).toFixed(5)),
  onnx: { accuracy: onnx.verified.accuracy, auc: onnx.verified.auc },
  torch: { accuracy: torch.verified.accuracy, auc: torch.verified.auc },
  accuracyChange: Number((torch.verified.accuracy - onnx.verified.accuracy).toFixed(5)),
});
