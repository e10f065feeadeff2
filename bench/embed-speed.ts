/**
 * Compares `magface embed --aligned`, from aligned JPEG files to a feature file, with the same network in PyTorch on the same
 * files:
 *
 *     npx tsx -C magface:source bench/embed-speed.ts [--arch A] [--batch N] [--threads N] [--rounds N] [--faces DIR]
 *
 * All candidates alternate in every round, after loading and two warm-up rounds. PyTorch runs in float32 with default settings,
 * with glibc set to keep freed memory, as our allocator does, and at its fastest: also with autocast to bfloat16 and channels_last.
 * Weights are random, because speed does not depend on them. Needs LFW (`npm run data -- lfw`), or aligned faces with --faces, and
 * Python with PyTorch and OpenCV (Debian: python3-torch python3-opencv).
 */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processor, torchVersion } from '@magface/torch';
import { MagFace } from 'magface';
import { createFeatureWriter } from '../packages/magface/src/format/feature-writer.ts';
import { architecture as architectureOf } from '../packages/magface/src/graph/networks/architectures.ts';
import { createNetwork } from '../packages/magface/src/graph/torch/network.ts';
import { exportOnnx } from '../packages/magface/src/train/model/onnx-export.ts';
import { researchFolder } from './support/data.ts';
import { forProcessor } from './support/for-processor.ts';
import { spread } from './support/median.ts';
import { peerFlags } from './support/peer-flags.ts';
import { writeResult } from './support/result.ts';
import { keepingMemory, TorchPeer } from './support/torch-peer.ts';

const flags = peerFlags({ batch: 32, threads: 2, rounds: 3, images: 128 }, ['faces']);
const { arch, python, batch: batchSize, threads, rounds } = flags;
const faces = flags.faces ?? `${researchFolder('faces/lfw')}faces/lfw/aligned/`;

const folder = await mkdtemp(join(tmpdir(), 'embed-speed-'));
const files = (await readdir(faces, { recursive: true })).filter((name) => name.endsWith('.jpg')).sort();
const paths = files.slice(0, flags.images).map((name) => join(faces, name));
const list = join(folder, 'faces.list');
await writeFile(list, paths.join('\n'));

const architecture = architectureOf(arch);
const weights = new Map(
  [...createNetwork(architecture, 1).tensors].map(([name, tensor]) => [name, tensor.toArray() as Float32Array]),
);
const model = join(folder, 'network.onnx');
await writeFile(model, exportOnnx(architecture, weights));

const engines = {
  torch: await MagFace.load({ model, detector: false, engine: 'torch', batchSize, threads }),
  onnx: await MagFace.load({ model, detector: false, engine: 'onnx', batchSize, threads }),
};
const peer = (environment: Readonly<Record<string, string>>, ...precision: string[]): TorchPeer =>
  new TorchPeer('embed_torch.py', [arch, batchSize, threads, ...precision], { python, environment });
const peers = {
  pytorch: peer({}),
  pytorchKeepingMemory: peer(keepingMemory),
  pytorchFastest: peer(keepingMemory, 'bf16'),
};

/** Seconds. */
async function ours(magface: MagFace): Promise<number> {
  const started = performance.now();
  const writer = await createFeatureWriter(join(folder, 'ours.npy'), {
    dimension: magface.model.contract.embeddingLength,
  });
  for await (const { faces, error, input } of magface.stream(paths, { aligned: true })) {
    if (error !== undefined) throw error;
    await writer.write(input, faces[0]!.embedding);
  }
  await writer.close();
  return (performance.now() - started) / 1000;
}

const theirs = async (python: TorchPeer): Promise<number> =>
  (await python.ask(`${join(folder, 'theirs.npy')} ${list}`))[0]!;
const runs = {
  pytorch: () => theirs(peers.pytorch),
  pytorchKeepingMemory: () => theirs(peers.pytorchKeepingMemory),
  pytorchFastest: () => theirs(peers.pytorchFastest),
  onnx: () => ours(engines.onnx),
  torch: () => ours(engines.torch),
};

type Row = Readonly<Record<string, number>>;
const rows: Row[] = [];
for (let round = -2; round < rounds; round++) {
  const row: Record<string, number> = {};
  for (const [name, run] of Object.entries(runs)) row[name] = paths.length / (await run());
  if (round >= 0) rows.push(row);
}
for (const one of Object.values(peers)) one[Symbol.dispose]();
for (const one of Object.values(engines)) await one[Symbol.asyncDispose]();
await rm(folder, { recursive: true });

const ratio = (a: string, b: string) => spread(rows.map((row) => row[a]! / row[b]!));
writeResult(`${forProcessor('embed-speed')}-${arch}-batch${batchSize}-threads${threads}`, {
  arch,
  batchSize,
  threads,
  images: paths.length,
  libtorch: torchVersion(),
  packedBy: processor().packedBy,
  note: 'Files to features; models loaded and run once before.',
  imagesPerSecond: rows,
  torch: {
    overPytorch: ratio('torch', 'pytorch'),
    overPytorchKeepingMemory: ratio('torch', 'pytorchKeepingMemory'),
    overPytorchFastest: ratio('torch', 'pytorchFastest'),
    overOnnx: ratio('torch', 'onnx'),
  },
  onnx: {
    overPytorch: ratio('onnx', 'pytorch'),
    overPytorchKeepingMemory: ratio('onnx', 'pytorchKeepingMemory'),
  },
});
