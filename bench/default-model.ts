/**
 * Measures what finetuning changed in the default model: compares it with its initial model on LFW people that it was not
 * trained on, with clean and degraded images, using this package's evaluation.
 *
 *     npx tsx bench/default-model.ts [AFTER.onnx]
 *
 * Needs LFW (`npm run data -- lfw`) and a model from `npm run model:default`, next to which it caches features by the digest
 * of the weights. Writes bench/results/default-model.json.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { allDamages } from '../packages/magface/src/degrade/node/jpeg.ts';
import { magnitudesOf } from '../packages/magface/src/eval/feature-set.ts';
import { readPairList } from '../packages/magface/src/eval/pair-list.ts';
import { pairQuality } from '../packages/magface/src/eval/reject.ts';
import { robustnessReport } from '../packages/magface/src/eval/robustness.ts';
import { cosineSimilarities, type Pairs, verify } from '../packages/magface/src/eval/verification.ts';
import { readyToRun, weightsDigest } from '../packages/magface/src/graph/onnx/file.ts';
import { Embedder } from '../packages/magface/src/infer/embedder.ts';
import { readAligned } from '../packages/magface/src/infer/node/read-image.ts';
import { createSession } from '../packages/magface/src/infer/node/session.ts';
import { loadModel } from '../packages/magface/src/models/load-model.ts';
import type { Pixels } from '../packages/magface/src/pixels.ts';
import { compare } from '../packages/magface/src/similarity.ts';
import { magnitudeQuantiles } from '../packages/magface/src/train/model/recipe.ts';
import { rejection } from './support/attainable.ts';
import { researchFolder } from './support/data.ts';
import { writeResult } from './support/result.ts';

const project = fileURLToPath(new URL('../', import.meta.url));
const lfw = join(researchFolder('faces/lfw'), 'faces/lfw/');
const kept = join(project, 'output/default-model/features');
const after = process.argv[2] ?? join(project, 'output/default-model/magface-small.onnx');

const kinds = Object.keys(allDamages) as (keyof typeof allDamages)[];
const steps = [0, 0.2, 0.4, 0.6, 0.8, 1];
/** Maximum strength of damage in degraded pairs. Beyond it most faces are unrecognizable and strangers look alike. */
const worst = 0.6;
const dimension = 512;

/** A face and its damage. The index of a pair image determines kind and strength, uniformly up to {@link worst}. */
interface Shown {
  readonly name: string;
  readonly kind?: keyof typeof allDamages;
  readonly strength?: number;
  readonly seed?: number;
}

const testPairs = await readPairList(join(lfw, 'test_pairs.list'));
const foldPairs = await readPairList(join(lfw, 'pairs.txt'));
const trained = new Set(readFileSync(join(lfw, 'train.list'), 'utf8').match(/(?<=aligned\/)[^/]+/g));
const testNames = [...new Set([...testPairs.left, ...testPairs.right])].sort();
const foldNames = [...new Set([...foldPairs.left, ...foldPairs.right])].map(inLfw).sort();
const cleanNames = [...new Set([...testNames, ...foldNames])];
const shown: Shown[] = [
  ...cleanNames.map((name) => ({ name })),
  ...testNames.map((name, i) => ({ name, ...drawnDamage(i) })),
  ...kinds.flatMap((kind) =>
    robustnessFaces().flatMap((name, seed) => steps.map((strength) => ({ name, kind, strength, seed }))),
  ),
];

/** LFW's list names images without folder and extension. */
function inLfw(name: string): string {
  return name.startsWith('aligned/') ? name : `aligned/${name}.jpg`;
}

function robustnessFaces(): string[] {
  return testNames.filter((_, i) => i % 100 === 0).slice(0, 50);
}

/** A deterministic draw by multiples of the golden ratio, even over kinds and strengths. */
function drawnDamage(i: number): Omit<Shown, 'name'> {
  return { kind: kinds[i % kinds.length]!, strength: worst * ((i * 0.6180339887498949) % 1), seed: i };
}

async function pixelsOf({ name, kind, strength = 0, seed = 0 }: Shown): Promise<Pixels> {
  const face = await readAligned(join(lfw, name));
  return kind === undefined || strength === 0 ? face : allDamages[kind].apply(face, strength, seed);
}

const blockSize = 1024;

/**
 * (F, 512) features of all that is shown. They are kept in blocks, so that a run that was stopped goes on, and a second process
 * with FROM_END=1 can help from the other end.
 */
async function featuresOf(name: string): Promise<Float32Array> {
  const { bytes, contract } = await loadModel<'recogniser'>(name, { kind: 'recogniser' });
  const digest = weightsDigest(bytes, name);
  mkdirSync(kept, { recursive: true });
  const fileOf = (block: number): string => join(kept, `${digest}-${block}.f32`);
  const session = await createSession(readyToRun(bytes, name).bytes, { name, threads: 1 });
  await using embedder = new Embedder(session, contract, { name });
  const blocks = Array.from({ length: Math.ceil(shown.length / blockSize) }, (_, i) => i);
  for (const block of process.env['FROM_END'] === undefined ? blocks : blocks.toReversed()) {
    if (existsSync(fileOf(block))) continue;
    const part = shown.slice(block * blockSize, (block + 1) * blockSize);
    const values = new Float32Array(part.length * dimension);
    for (let start = 0; start < part.length; start += embedder.batchSize) {
      const faces = await Promise.all(part.slice(start, start + embedder.batchSize).map(pixelsOf));
      for (const [i, { embedding }] of (await embedder.embed(faces)).entries())
        values.set(embedding, (start + i) * dimension);
    }
    writeFileSync(fileOf(block), new Uint8Array(values.buffer));
    process.stderr.write(`${name}: block ${block + 1} of ${blocks.length}\n`);
  }
  const all = Buffer.concat(blocks.map((block) => readFileSync(fileOf(block))));
  return new Float32Array(Uint8Array.from(all).buffer);
}

function pairsOf({ left, right, same }: typeof testPairs, names: readonly string[]): Pairs {
  const row = new Map(names.map((name, i) => [name, i]));
  const rows = (side: readonly string[]): Uint32Array => Uint32Array.from(side, (name) => row.get(inLfw(name))!);
  return { left: rows(left), right: rows(right), same };
}

const clean = (values: Float32Array) => values.subarray(0, cleanNames.length * dimension);
const damaged = (values: Float32Array) =>
  values.subarray(cleanNames.length * dimension, (cleanNames.length + testNames.length) * dimension);

function robustness(values: Float32Array) {
  const first = cleanNames.length + testNames.length;
  const faces = robustnessFaces().length;
  const rowOf = (at: number): Float32Array => values.slice(at * dimension, (at + 1) * dimension);
  const curves = new Map(
    kinds.map((kind, k) => [
      kind,
      Array.from({ length: faces }, (_, face) => {
        const rows = steps.map((_step, step) => rowOf(first + (k * faces + face) * steps.length + step));
        return {
          magnitudes: rows.map((row) => Math.hypot(...row)),
          similarities: rows.map((row) => compare(rows[0]!, row)),
        };
      }),
    ]),
  );
  const report = robustnessReport(curves, steps);
  const figures = Object.fromEntries(
    report.kinds.map(({ kind, fall, loss }) => [kind, { fall: fall.value, loss: loss.value }]),
  );
  return { faces, ...figures, all: { fall: report.fall.value, loss: report.loss.value } };
}

/** @param start - features of the initial model, on whose scores the new magnitude is also judged */
function figures(values: Float32Array, start: Float32Array) {
  const set = (part: Float32Array) => ({ values: part, dimension });
  const folds = pairsOf(foldPairs, cleanNames);
  const isNew = (name: string): boolean => !trained.has(inLfw(name).split('/')[1]!);
  const unseen = [...folds.same.keys()].filter((i) => isNew(foldPairs.left[i]!) && isNew(foldPairs.right[i]!));
  const part = (side: Uint32Array): Uint32Array => Uint32Array.from(unseen, (i) => side[i]!);
  const unseenFolds = {
    left: part(folds.left),
    right: part(folds.right),
    same: Uint8Array.from(unseen, (i) => folds.same[i]!),
  };
  const short = (pairs: Pairs, features: Float32Array) => {
    const { accuracy, accuracyStd, auc, tarAtFar } = verify(set(features), pairs);
    return { pairs: pairs.same.length, accuracy, accuracyStd, auc, tarAtFar };
  };
  const reject = (pairs: Pairs, own: Float32Array, before: Float32Array) => {
    const quality = pairQuality(magnitudesOf(set(own)), pairs);
    return Object.fromEntries(
      [1e-3, 1e-2].map((fmr) => [
        fmr,
        {
          ownScores: rejection(cosineSimilarities(set(own), pairs), pairs.same, quality, fmr),
          startScores: rejection(cosineSimilarities(set(before), pairs), pairs.same, quality, fmr),
        },
      ]),
    );
  };
  const [cleanPairs, damagedPairs] = [pairsOf(testPairs, cleanNames), pairsOf(testPairs, testNames)];
  return {
    lfwFolds: short(folds, clean(values)),
    lfwFoldsOfUnseenPeople: short(unseenFolds, clean(values)),
    testPairs: short(cleanPairs, clean(values)),
    damagedTestPairs: short(damagedPairs, damaged(values)),
    rejectClean: reject(cleanPairs, clean(values), clean(start)),
    rejectDamaged: reject(damagedPairs, damaged(values), damaged(start)),
    robustness: robustness(values),
    magnitudes: magnitudeQuantiles(magnitudesOf(set(clean(values)))),
  };
}

const start = await featuresOf('fr-feature');
if (existsSync(after)) {
  const finetuned = await featuresOf(after);
  const images = { clean: cleanNames.length, damaged: testNames.length };
  writeResult('default-model', { images, before: figures(start, start), after: figures(finetuned, start) });
} else process.stdout.write(`${JSON.stringify(figures(start, start), null, 2)}\n`);
