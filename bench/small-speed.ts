/**
 * Small recognisers in memory, crops to embeddings, beside a bare ONNX Runtime loop over tensors that are ready:
 *
 *     npx tsx -C magface:source bench/small-speed.ts [--rounds N]
 *
 * The peer is the best of three settings of ONNX Runtime in each round (its own default, two threads that sleep when idle, and
 * one thread), on the model's file with its batch made free. Our engines also turn pixels into tensors. Faces are noise, because
 * speed does not depend on them. Needs ../shared for MobileFaceNet.
 */
import { parseArgs } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { readyToRun } from '../packages/magface/src/graph/onnx/file.ts';
import { createEmbedder } from '../packages/magface/src/infer/node/engine.ts';
import { loadModel } from '../packages/magface/src/models/load-model.ts';
import type { Pixels } from '../packages/magface/src/pixels.ts';
import { randomStream } from '../packages/magface/src/random.ts';
import { researchFolder } from './support/data.ts';
import { spread } from './support/median.ts';
import { writeResult } from './support/result.ts';

const { values: flags } = parseArgs({ options: { rounds: { type: 'string', default: '7' } } });
const models = {
  'magface-small': 'magface-small',
  MobileFaceNet: `${researchFolder('models/foamliu_mobilefacenet.onnx')}models/foamliu_mobilefacenet.onnx`,
};
const side = 112;
const threads = 2;
/** Each candidate runs about so long in a round. */
const millisecondsPerTurn = 600;
const settings: Readonly<Record<string, InferenceSession.SessionOptions>> = {
  default: {},
  sleeping: { intraOpNumThreads: threads, extra: { session: { intra_op: { allow_spinning: '0' } } } },
  oneThread: { intraOpNumThreads: 1 },
};

type Run = () => Promise<unknown>;

const random = randomStream(1);
const noise = (): Pixels => ({
  data: Uint8Array.from({ length: 3 * side * side }, () => 256 * random()),
  width: side,
  height: side,
});

async function candidatesOf(name: string, batch: number): Promise<Record<string, Run>> {
  const model = await loadModel(name, { kind: 'recogniser' });
  const crops = Array.from({ length: batch }, noise);
  const found: Record<string, Run> = {};
  for (const engine of ['onnx', 'torch'] as const) {
    const embedder = await createEmbedder(model, { name: engine, threads, batchSize: batch });
    found[engine] = () => embedder.embed(crops);
  }
  const { bytes } = readyToRun(model.bytes, name);
  const values = Float32Array.from({ length: batch * 3 * side * side }, () => 2 * random() - 1);
  const tensor = new Tensor('float32', values, [batch, 3, side, side]);
  for (const [setting, options] of Object.entries(settings)) {
    const session = await InferenceSession.create(bytes, { ...options, logSeverityLevel: 3 });
    found[`onnxruntime ${setting}`] = () => session.run({ [session.inputNames[0]!]: tensor });
  }
  return found;
}

/** Faces a second. */
async function rateOf(run: Run, batch: number): Promise<number> {
  const started = performance.now();
  let runs = 0;
  for (; performance.now() - started < millisecondsPerTurn; runs++) await run();
  return (1000 * runs * batch) / (performance.now() - started);
}

const results = [];
for (const [name, file] of Object.entries(models))
  for (const batch of [1, 8]) {
    const candidates = await candidatesOf(file, batch);
    const rounds: Record<string, number>[] = [];
    for (let round = -1; round < Number(flags.rounds); round++) {
      const row: Record<string, number> = {};
      for (const [candidate, run] of Object.entries(candidates)) row[candidate] = await rateOf(run, batch);
      if (round >= 0) rounds.push(row);
    }
    const peer = (row: Record<string, number>): number =>
      Math.max(...Object.keys(settings).map((setting) => row[`onnxruntime ${setting}`]!));
    results.push({
      model: name,
      batch,
      onnx: spread(rounds.map((row) => row['onnx']! / peer(row))),
      torch: spread(rounds.map((row) => row['torch']! / peer(row))),
      facesPerSecond: rounds.map((row) =>
        Object.fromEntries(Object.entries(row).map(([key, rate]) => [key, Number(rate.toFixed(1))])),
      ),
    });
  }
writeResult('small-speed', { threads, results });
