/**
 * The losses side by side on real faces, with one budget and one schedule for all: the last layers of a MobileFaceNet, from random
 * weights, behind the frozen front of a trained one. They train on LFW and CelebA and are tested on pairs of people in neither list.
 *
 *     OMP_NUM_THREADS=1 MAGFACE_CORES=1 npx tsx -C magface:source bench/heads.ts [FOLDER]
 *
 * What the budget means: the front has seen millions of faces (MS-Celeb-1M, by ArcFace) and does not change, so that seconds of
 * training give features far above chance. The figures compare what each loss makes of the same maps of 7 x 7; they do not tell
 * which loss trains the best network from scratch. Every loss has the constants of its paper, chosen there for millions of faces.
 *
 * FOLDER (default output/heads) keeps the maps and every run, so that an interrupted bench continues where it stopped: call it
 * again. All losses of one seed come before the next seed. Needs LFW, CelebA and the model.
 *
 * bench/results/heads.json is written anew after each run. A figure is the mean over the seeds that every loss has finished, each
 * of which is listed, too. The intervals draw people and seeds: bench/support/over-seeds.ts. The leads of the best loss over the
 * others are paired on the same draws, and their intervals hold for all pairs of losses together.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fromArray, noGrad, scope, type Tensor, threads } from '@magface/torch';
import { type ComparedModel, compareModels, knownInterval } from '../packages/magface/src/eval/compare-models.ts';
import { loadPairs } from '../packages/magface/src/eval/load-pairs.ts';
import { measureModel } from '../packages/magface/src/eval/measure-model.ts';
import { errorVersusReject } from '../packages/magface/src/eval/reject.ts';
import { sha256 } from '../packages/magface/src/format/digest.ts';
import { createFeatureWriter } from '../packages/magface/src/format/feature-writer.ts';
import { openGraph } from '../packages/magface/src/graph/torch/open-graph.ts';
import { loadModel } from '../packages/magface/src/models/load-model.ts';
import { readDatasets } from '../packages/magface/src/train/data/dataset.ts';
import { epochOrder, stepsPerEpoch } from '../packages/magface/src/train/data/sample-order.ts';
import { FrontCache, facesDigest, frontName } from '../packages/magface/src/train/finetune/front-cache.ts';
import { frontOf, selectWeights } from '../packages/magface/src/train/finetune/select-weights.ts';
import { keepFront, type ViewSource } from '../packages/magface/src/train/finetune/view-source.ts';
import { learningRate } from '../packages/magface/src/train/loop/schedule.ts';
import { Trainer } from '../packages/magface/src/train/loop/trainer.ts';
import { Ranks } from '../packages/magface/src/train/parallel/ranks.ts';
import { researchFolder } from './support/data.ts';
import { lfwCeleba } from './support/lfw-celeba.ts';
import { mean, meanOverSeeds } from './support/over-seeds.ts';
import { writeResult } from './support/result.ts';
import { mobilefacenetTail, tailLayers } from './support/tail-network.ts';

const losses = ['magface', 'arcface', 'cosface', 'adaface', 'elasticface-arc', 'curricularface'] as const;
const seeds = [1, 2, 3] as const;
const recipe = {
  epochs: 6,
  batchSize: 64,
  lr: 0.1,
  schedule: 'cosine',
  warmupEpochs: 0.5,
  embeddingLength: 128,
} as const;
const schedule = { ...recipe, dropEpochs: [], dropRatio: 1, power: 1 };
const fmr = 0.01;
const rejectRates = [0, 0.1, 0.2, 0.3];

threads(1);
const output = resolve(process.argv[2] ?? fileURLToPath(new URL('../output/heads', import.meta.url)));
mkdirSync(output, { recursive: true });
const { trainLists, pairs, testNames, testList } = lfwCeleba(output);
const model = join(researchFolder('models/foamliu_mobilefacenet.onnx'), 'models/foamliu_mobilefacenet.onnx');
const { bytes, contract } = await loadModel(model, { kind: 'recogniser' });
const graph = openGraph(bytes, model);
const front = frontOf(graph, selectWeights(graph, { trainLast: tailLayers }))!;

/** The front's maps of all faces; nothing is mirrored or damaged, so each is computed once. */
async function mapsOf(
  lists: readonly string[],
): Promise<{ readonly source: ViewSource; readonly dataset: ReturnType<typeof readDatasets> }> {
  const dataset = readDatasets(lists);
  const name = frontName({ weights: sha256(bytes), front, faces: facesDigest(dataset.samples) });
  const common = { graph, dataset, input: contract.input, views: 1, precision: 'fp32', workers: 1 } as const;
  const onProgress = (done: number, total: number): void => {
    if (done % 1024 < 16) process.stderr.write(`front ${done} of ${total}\n`);
  };
  const options = { ...common, seed: 1, strength: 0, ranks: new Ranks() };
  const source = await keepFront(options, { front, cache: new FrontCache(output, name), onProgress });
  return { source, dataset };
}
const train = await mapsOf(trainLists);
const test = await mapsOf([testList]);

type Loss = (typeof losses)[number];
const featuresOf = (loss: Loss, seed: number): string => join(output, `${loss}-${seed}.npy`);

/** Trains one run and writes the features of the test faces. */
async function run(loss: Loss, seed: number): Promise<void> {
  const started = process.cpuUsage();
  const { samples, classes } = train.dataset;
  const architecture = mobilefacenetTail(recipe.embeddingLength);
  const trainer = new Trainer({
    architecture,
    classes,
    loss: loss === 'magface' ? {} : { name: loss },
    dropout: 0,
    seed,
  });
  const steps = stepsPerEpoch(recipe.batchSize, samples.length);
  let skipped = 0;
  for (let epoch = 0; epoch < recipe.epochs; epoch++) {
    const order = epochOrder(seed, epoch, samples.length);
    for (let step = 0; step < steps; step++) {
      const drawn = [...order.subarray(step * recipe.batchSize, (step + 1) * recipe.batchSize)];
      const places = drawn.map((sample) => ({ sample, view: 0 }));
      const load = await train.source.load(places);
      using _step = scope();
      const labels = fromArray(BigInt64Array.from(drawn, (sample) => BigInt(samples.at(sample)!.label)));
      const result = trainer.learn(load(), labels, learningRate(epoch, step, steps, schedule));
      skipped += Number(result.skipped !== undefined);
      if (step % 50 === 0) {
        const { loss: value, accuracy, magnitudeMean } = result;
        process.stderr.write(
          `${loss} ${seed} ${epoch}.${step} ${[value, accuracy, magnitudeMean].map((x) => x.toFixed(2))}\n`,
        );
      }
    }
  }
  const seconds = process.cpuUsage(started).user / 1e6;
  process.stderr.write(`${loss} ${seed}: ${seconds.toFixed(0)} s, ${skipped} steps skipped\n`);
  await writeFeatures(trainer, featuresOf(loss, seed));
}

async function writeFeatures(trainer: Trainer, path: string): Promise<void> {
  const { embeddingLength: dimension } = recipe;
  const writer = await createFeatureWriter(path, { dimension });
  for (let first = 0; first < testNames.length; first += 64) {
    const names = testNames.slice(first, first + 64);
    const load = await test.source.load(names.map((_, i) => ({ sample: first + i, view: 0 })));
    const values = embedded(load);
    for (const [i, name] of names.entries()) await writer.write(name, values.slice(i * dimension, (i + 1) * dimension));
  }
  await writer.close();

  function embedded(load: () => Tensor): Float32Array {
    using _scope = scope();
    using _ = noGrad();
    return trainer.network.forward(load(), { training: false }).toArray() as Float32Array;
  }
}

/** One run's figures, with their values on draws of people, and its curve by the lower magnitude of a pair. */
async function measured(loss: Loss, seed: number) {
  const loaded = await loadPairs({ features: featuresOf(loss, seed), pairs });
  const reject = { fmr, threshold: 'fixed', rejectRates } as const;
  const { figures } = measureModel(loaded, loss, { reject });
  const { fnmr } = errorVersusReject(loaded.similarities, loaded.same, loaded.quality, reject);
  return { model: loss, figures, fnmr: fnmr.map(Number) };
}

const known = new Map<string, Awaited<ReturnType<typeof measured>>>();

/** Writes the table of the seeds that every loss has finished. */
async function writeTable(): Promise<void> {
  const done = seeds.filter((seed) => losses.every((loss) => existsSync(featuresOf(loss, seed))));
  if (done.length === 0) return;
  const models: ComparedModel[] = [];
  const table: Record<string, unknown> = {};
  for (const loss of losses) {
    for (const seed of done) known.set(`${loss} ${seed}`, known.get(`${loss} ${seed}`) ?? (await measured(loss, seed)));
    const runs = done.map((seed) => known.get(`${loss} ${seed}`)!);
    const whole = meanOverSeeds(loss, runs);
    models.push(whole);
    const rows = whole.figures.map(({ name, value, draws }, i) => {
      const row = { value, interval: knownInterval(draws), seeds: runs.map((one) => one.figures[i]!.value) };
      return [name, row] as const;
    });
    const fnmr = rejectRates.map((_, i) => mean(runs.map((one) => one.fnmr[i]!)));
    table[loss] = { ...Object.fromEntries(rows), fnmrByRejectRate: fnmr };
  }
  const lines = readFileSync(pairs, 'utf8').trim().split('\n').length;
  writeResult('heads', {
    recipe,
    network:
      'the last 9 layers of a MobileFaceNet, from random weights, behind the frozen front of arcface-mobilefacenet',
    meaning:
      'what each loss makes of the same maps of 7 x 7 of a front that was trained on millions of faces; not which loss trains the best network from scratch',
    sets: `LFW and CelebA, without the four people of CelebA who are in LFW: ${train.dataset.samples.length} images, ${train.dataset.classes} people`,
    test: `LFW: ${lines} pairs of people who are in no training list; FNMR at FMR ${fmr}, threshold fixed`,
    seeds: done,
    rejectRates,
    losses: table,
    leads: compareModels(models),
  });
}

for (const seed of seeds) {
  for (const loss of losses) {
    if (existsSync(featuresOf(loss, seed))) continue;
    await run(loss, seed);
  }
  await writeTable();
}
