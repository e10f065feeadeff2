/**
 * Compares `embed` with a bare ONNX Runtime loop over prepared tensors, in rate and memory:
 *
 *     npx tsx bench/embed-rate.ts [--images N]
 *
 * Rounds alternate, so that both see the same load. Needs LFW (`npm run data -- lfw`); writes bench/results/embed-rate.json.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { MagFace } from 'magface';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { readAligned } from '../packages/magface/src/infer/node/read-image.ts';
import { inputFiller } from '../packages/magface/src/infer/session.ts';
import { researchFolder } from './support/data.ts';
import { writeResult } from './support/result.ts';

const shared = researchFolder('faces/lfw', 'models/foamliu_mobilefacenet.onnx');
const model = `${shared}models/foamliu_mobilefacenet.onnx`;
const folder = `${shared}faces/lfw/aligned/`;
const all = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.jpg'))
  .sort()
  .map((name) => folder + name);
const given = process.argv.indexOf('--images');
const count = given < 0 ? all.length : Number(process.argv[given + 1]);
const rounds = 4;
const perRound = Math.floor(count / rounds);

await using magface = await MagFace.load({ model, detector: false });
const fill = inputFiller(magface.model.contract.input as Parameters<typeof inputFiller>[0]);
const bare = await InferenceSession.create(readFileSync(model));
const size = 3 * 112 * 112;

/** Images per second of only the network, on prepared tensors. */
async function bareRate(paths: readonly string[]): Promise<number> {
  const tensors = [];
  for (const path of paths.slice(0, 500)) {
    const data = new Float32Array(size);
    fill(await readAligned(path), data, 0);
    tensors.push(new Tensor('float32', data, [1, 3, 112, 112]));
  }
  const started = performance.now();
  for (const tensor of tensors) await bare.run({ [bare.inputNames[0]!]: tensor });
  return (1000 * tensors.length) / (performance.now() - started);
}

let peakMiB = 0;
/** Images per second from files to embeddings. */
async function embedRate(paths: readonly string[]): Promise<number> {
  const started = performance.now();
  for await (const { error, index } of magface.stream(paths, { aligned: true })) {
    if (error !== undefined) throw error;
    if (index % 100 === 0) peakMiB = Math.max(peakMiB, process.memoryUsage.rss() / 2 ** 20);
  }
  return (1000 * paths.length) / (performance.now() - started);
}

await embedRate(all.slice(0, 200)); // warm-up
const measured = [];
for (let round = 0; round < rounds; round++) {
  const paths = all.slice(round * perRound, (round + 1) * perRound);
  const before = await bareRate(paths);
  const embed = await embedRate(paths);
  const after = await bareRate(paths);
  measured.push({
    bare: (before + after) / 2,
    embed,
    ratio: (2 * embed) / (before + after),
    rssMiB: process.memoryUsage.rss() / 2 ** 20,
  });
}
const ratios = measured.map(({ ratio }) => ratio).sort((a, b) => a - b);
writeResult('embed-rate', {
  model: 'arcface-mobilefacenet',
  images: rounds * perRound,
  medianRatio: (ratios[1]! + ratios[2]!) / 2,
  peakMiB,
  rounds: measured,
});
