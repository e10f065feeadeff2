/**
 * Measures what fp16 and int8 cost in accuracy on LFW's ten folds, and what they gain in size and rate:
 *
 *     npx tsx bench/quantize.ts [--only fr-feature|arcface] [--types fp32,fp16,int8] [--samples 100] [--cache DIR]
 *
 * Uses flip-sum features of the images in LFW's pairs; calibration uses faces that are in no pair. Needs LFW (`npm run data --
 * lfw`); writes bench/results/quantize.json. Runs on one thread; rates are the best of alternating rounds. Features are
 * cached, so that an interrupted run can resume: delete the cache after changing how they are computed.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MagFace } from 'magface';
import { convertOnnx, type WeightType } from '../packages/magface/src/convert/convert-onnx.ts';
import { readPairList } from '../packages/magface/src/eval/pair-list.ts';
import { resolvePairs } from '../packages/magface/src/eval/pairs.ts';
import { verify } from '../packages/magface/src/eval/verification.ts';
import { researchFolder } from './support/data.ts';
import { type EmbeddedFaces, embedFaces } from './support/embed-faces.ts';
import { writeResult } from './support/result.ts';

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string' },
    types: { type: 'string', default: 'fp32,fp16,int8' },
    samples: { type: 'string', default: '100' },
    cache: { type: 'string' },
  },
});
const types = flags.types.split(',') as WeightType[];
const shared = researchFolder('faces/lfw', 'models/foamliu_mobilefacenet.onnx');
const models = { 'fr-feature': 'fr-feature', arcface: `${shared}models/foamliu_mobilefacenet.onnx` };
const folder = `${shared}faces/lfw/aligned/`;
const pairs = await readPairList(`${shared}faces/lfw/pairs.txt`);
const all = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.jpg'))
  .map((name) => name.replaceAll('\\', '/'))
  .sort();
const every = { names: all, values: new Float32Array(all.length), dimension: 1 };
const { left, right } = resolvePairs(pairs, every);
const used = new Set([...left, ...right]);
const names = all.filter((_, row) => used.has(row));
const unused = all.filter((_, row) => !used.has(row));

async function embed(model: string, kept: string | undefined): Promise<EmbeddedFaces> {
  await using magface = await MagFace.load({ model, detector: false, threads: 1 });
  const dimension = magface.model.contract.embeddingLength;
  if (kept !== undefined && existsSync(kept)) {
    const bytes = Uint8Array.from(readFileSync(kept)).buffer;
    const magnitudes = new Float64Array(bytes, 0, names.length);
    return { values: new Float32Array(bytes, magnitudes.byteLength), magnitudes, dimension };
  }
  const paths = names.map((name) => folder + name);
  const embedded = await embedFaces(magface, paths, true);
  if (kept !== undefined)
    await writeFile(kept, Buffer.concat([embedded.magnitudes, embedded.values].map((one) => Buffer.from(one.buffer))));
  return embedded;
}

/** Faces per second of each file, the best of alternating rounds, because background load varies. */
async function rates(files: readonly string[]): Promise<number[]> {
  const best = files.map(() => 0);
  const opened = await Promise.all(files.map((model) => MagFace.load({ model, detector: false, threads: 1 })));
  const paths = names.slice(0, 48).map((name) => folder + name);
  for (let round = 0; round < 5; round++) {
    for (const [i, magface] of opened.entries()) {
      const start = performance.now();
      for await (const { error } of magface.stream(paths, { aligned: true })) if (error !== undefined) throw error;
      best[i] = Math.max(best[i]!, paths.length / ((performance.now() - start) / 1000));
    }
  }
  for (const magface of opened) await magface[Symbol.asyncDispose]();
  return best;
}

async function measure(key: string, name: string): Promise<Record<string, unknown>> {
  const scratch = await mkdtemp(join(tmpdir(), 'quantize-'));
  try {
    const files: string[] = [];
    const step = Math.floor(unused.length / Number(flags.samples));
    const faces = unused.filter((_, i) => i % step === 0).map((face) => folder + face);
    for (const dtype of types) {
      const { bytes } = await convertOnnx(name, { dtype, faces, samples: Number(flags.samples) });
      files.push(join(scratch, `${dtype}.onnx`));
      await writeFile(files.at(-1)!, bytes);
    }
    const speeds = await rates(files);
    const rows: Record<string, unknown>[] = [];
    let reference: EmbeddedFaces | undefined;
    let [accuracy, cosineAccuracy] = [0, 0];
    for (const [i, file] of files.entries()) {
      const embedded = await embed(file, flags.cache && join(flags.cache, `${key}-${types[i]}.bin`));
      reference ??= embedded;
      const features = { names, values: embedded.values, dimension: embedded.dimension };
      const verified = verify(features, resolvePairs(pairs, features));
      if (i === 0) ({ accuracy, cosineAccuracy } = verified);
      rows.push({
        dtype: types[i],
        bytes: statSync(file).size,
        accuracy: verified.accuracy,
        accuracyLoss: accuracy - verified.accuracy,
        cosineAccuracy: verified.cosineAccuracy,
        cosineAccuracyLoss: cosineAccuracy - verified.cosineAccuracy,
        tarAtFar: verified.tarAtFar,
        auc: verified.auc,
        magnitude: magnitudeChange(reference, embedded),
        facesPerSecond: speeds[i],
        rateToFp32: speeds[i]! / speeds[0]!,
      });
      process.stderr.write(`${JSON.stringify(rows.at(-1))}\n`);
    }
    return { model: name.replace(/^.*\//, ''), calibrationFaces: Number(flags.samples), rows };
  } finally {
    await rm(scratch, { recursive: true });
  }
}

/** Relative change of the magnitudes, and whether their order is preserved. */
function magnitudeChange(a: EmbeddedFaces, b: EmbeddedFaces): Record<string, number> {
  const changes = b.magnitudes.map((value, i) => value / a.magnitudes[i]! - 1);
  const mean = changes.reduce((sum, one) => sum + one, 0) / changes.length;
  const spread = Math.sqrt(changes.reduce((sum, one) => sum + (one - mean) ** 2, 0) / changes.length);
  const [ra, rb] = [ranks(a.magnitudes), ranks(b.magnitudes)];
  const n = ra.length;
  const squares = ra.reduce((sum, rank, i) => sum + (rank - rb[i]!) ** 2, 0);
  return { meanChange: mean, spread, rankCorrelation: 1 - (6 * squares) / (n * (n * n - 1)) };
}

function ranks(values: Float64Array): Float64Array {
  const order = [...values.keys()].sort((a, b) => values[a]! - values[b]!);
  const result = new Float64Array(values.length);
  order.forEach((row, rank) => {
    result[row] = rank;
  });
  return result;
}

if (flags.cache !== undefined) await mkdir(flags.cache, { recursive: true });
const results = [];
for (const [key, name] of Object.entries(models)) {
  if (flags.only === undefined || flags.only === key) results.push(await measure(key, name));
}
const result = { images: names.length, pairs: left.length, flipSum: true, results };
writeResult(flags.only === undefined ? 'quantize' : `quantize-${flags.only}`, result);
