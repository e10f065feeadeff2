/**
 * Finetunes any ONNX recogniser: its frozen front is run once, its recipe is measured, what it knows is kept, and the result
 * is the same graph with new weights, written to `model.onnx`.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheMemory, scope, threads } from '@magface/torch';
import { ConfigError } from '../../errors.ts';
import { writeWhole } from '../../format/file-writer.ts';
import type { RecogniserContract } from '../../models/contract.ts';
import { loadModel } from '../../models/load-model.ts';
import { randomStream } from '../../random.ts';
import { checkClasses } from '../data/classes.ts';
import { readDatasets } from '../data/dataset.ts';
import type { Dataset } from '../data/samples.ts';
import { insertBatchNorm, startBatchNorm } from '../graph/fresh-batch-norm.ts';
import { frontOf, selectWeights } from '../graph/select-weights.ts';
import { openGraph, type TrainableGraph } from '../graph/trainable-graph.ts';
import { writeGraph } from '../graph/write-graph.ts';
import { begin, claimOutput, resume } from '../loop/resume.ts';
import { type TrainHooks, withLock } from '../loop/train-hooks.ts';
import { TrainingLoop } from '../loop/training-loop.ts';
import type { MagFaceConstants } from '../model/magface-loss.ts';
import type { MetricsRow } from '../record/metrics.ts';
import { severalProcesses } from '../settings/applicable.ts';
import type { TrainConfig } from '../settings/config.ts';
import { stepsPerEpoch } from './batch-plan.ts';
import { finetuneBatches } from './finetune-batches.ts';
import { type FinetuneBatch, Finetuner } from './finetuner.ts';
import { FrontCache, facesDigest, frontName } from './front-cache.ts';
import { magnitudeQuantiles, recipeFor, withCollapseWarning } from './recipe.ts';
import { type StartKnowledge, startKnowledge } from './start-knowledge.ts';
import { keepFront, readViews, type ViewSource } from './view-source.ts';
import type { ViewOptions } from './views.ts';

/** The result, in the run's folder. */
export const modelFile = 'model.onnx';

/**
 * @param config - `init` names the model
 * @returns the last row of metrics
 * @throws {ModelError} `model_untrainable` naming every operator that cannot be trained
 */
export async function finetune(config: TrainConfig, hooks: TrainHooks = {}): Promise<MetricsRow | undefined> {
  const { onNote = () => {} } = hooks;
  if (hooks.group !== undefined) throw severalProcesses();
  const { precision } = config;
  if (precision === 'fp16') {
    const message = 'Expected fp32 or bf16 to finetune an ONNX model but received fp16: use --precision bf16.';
    throw new ConfigError('precision', message);
  }
  if (config.threads !== undefined) threads(config.threads);
  cacheMemory(config.cacheMemory * 2 ** 20);
  const { bytes, contract, name, digest } = await loadModel(config.init!, { kind: 'recogniser' });
  const dataset = readDatasets(config.trainList, { root: config.root, classes: config.lastFcSize });
  stepsPerEpoch(config, dataset.samples.length); // said before the front is run, which takes long
  const dimension = contract.embeddingLength;
  checkClasses(dataset, { ...config, dimension, ranks: 1, sampleRate: 1 }, onNote);
  await using lock = await claimOutput(config);
  const position = hooks.resume === true ? undefined : begin(config);
  const graph = openToTrain(bytes, name, config);
  const trained = selectWeights(graph, config);
  const front = frontOf(graph, trained);
  onNote(describeRun(name, { dataset, graph, trained, front, views: config.views }));

  const damage = { strength: config.degradeStrength, kinds: config.degradeKinds as ViewOptions['kinds'] };
  const views = { ...config, ...damage, graph, dataset, input: contract.input, precision };
  const facts = { weights: digest, front, precision, ...damage, seed: config.seed };
  const cache = openCache(config.frontCache, facts, dataset);
  const source =
    front === undefined
      ? readViews(views)
      : await keepFront(views, { front, cache, onProgress: everyTenth('Frozen front', onNote) });
  try {
    const forward = { graph, front, precision };
    const labels = Int32Array.from(dataset.samples, ({ label }) => label);
    const onProgress = everyTenth('Starting features', onNote);
    const people = { labels, classes: dataset.classes, dimension };
    const start = await startKnowledge(source, { ...forward, ...people, cache, onProgress });
    const constants = constantsOf(config, start, onNote);
    const weights = { keep: config.keepWeight, quality: config.qualityWeight };
    const { classes } = dataset;
    const centers = config.centers === 'mean' ? start.centers : randomCenters(start.centers.length, config.seed);
    const head = { centers, classes, constants, weights };
    const tuner = new Finetuner(graph, { ...config, ...forward, ...head, trained });
    if (config.freshBatchNorm) await beginBatchNorm(source, { graph, front, batchSize: config.batchSize });
    const from = position ?? (await resume(config, tuner, onNote));
    const watched = withCollapseWarning(withLock(hooks, lock), magnitudeQuantiles(start.magnitudes), constants);
    const loader = finetuneBatches(source, { ...config, dataset, start, constants });
    const loop = new TrainingLoop<FinetuneBatch>(config, watched, { loader, trainer: tuner }, from);
    const row = await loop.run();
    if (!loop.isOver) return row;
    const file = join(config.output, modelFile);
    if (row === undefined && existsSync(file)) return row; // over before, and perhaps calibrated since
    tuner.mean.apply();
    await writeModel(graph, contract, file);
    onNote(
      `Wrote ${file}: give it a quality scale with \`magface calibrate --model ${file} --faces FOLDER --aligned --output ${file}\`, from ordinary faces that it was not trained on.`,
    );
    return row;
  } finally {
    source.close();
  }
}

/** The graph; with `freshBatchNorm` a BatchNorm behind each convolution that is trained and has none. */
function openToTrain(bytes: Uint8Array, name: string, config: TrainConfig): TrainableGraph {
  const graph = openGraph(bytes, name);
  return config.freshBatchNorm ? insertBatchNorm(graph, selectWeights(graph, config)) : graph;
}

/** @returns undefined without a folder; whether files are as they were is asked of each only for a cache */
function openCache(folder: string | undefined, facts: object, { samples }: Dataset): FrontCache | undefined {
  if (folder === undefined) return undefined;
  return new FrontCache(folder, frontName({ ...facts, faces: facesDigest(samples) }));
}

/** The first faces as they are, and as many mirrored or damaged, give the statistics to begin with. */
async function beginBatchNorm(
  source: ViewSource,
  {
    graph,
    front,
    batchSize,
  }: { readonly graph: TrainableGraph; readonly front: string | undefined; readonly batchSize: number },
): Promise<void> {
  const load = await source.load(
    Array.from({ length: batchSize }, (_, sample) => ({ sample, view: sample % source.views })),
  );
  using _scope = scope();
  startBatchNorm(graph, load(), front);
}

/** Only directions count: the loss takes each to length one. */
function randomCenters(length: number, seed: number): Float32Array {
  const random = randomStream(seed);
  return Float32Array.from({ length }, () => 2 * random() - 1);
}

interface RunFacts {
  readonly dataset: Dataset;
  readonly graph: TrainableGraph;
  readonly trained: readonly string[];
  readonly front: string | undefined;
  readonly views: number;
}

function describeRun(name: string, { dataset, graph, trained, front, views }: RunFacts): string {
  const values = trained.reduce((sum, weight) => sum + graph.weights.get(weight)!.length, 0);
  const where = front === undefined ? 'from the input on' : `behind the value ${front}, up to which it is run once`;
  return `${name}: ${dataset.samples.length} images of ${dataset.classes} people in ${views} views each; ${values} weights are trained, ${where}.`;
}

/** The settings' own constants, or those that the rule gives. */
function constantsOf(
  config: TrainConfig,
  { magnitudes }: StartKnowledge,
  onNote: (line: string) => void,
): MagFaceConstants {
  const quantiles = magnitudeQuantiles(magnitudes);
  const text = Object.entries(quantiles).map(([name, value]) => `${name} ${value.toFixed(2)}`);
  onNote(`Magnitudes of the starting model: ${text.join(', ')}.`);
  const constants = config.recipe === 'given' ? config : { ...config, ...recipeFor(quantiles, config.scale) };
  const { lowerMagnitude, upperMagnitude, lowerMargin, upperMargin, lambdaG } = constants;
  const whence = config.recipe === 'given' ? 'As given' : 'By the rule';
  onNote(
    `${whence}: --l_a ${lowerMagnitude} --u_a ${upperMagnitude} --l_margin ${lowerMargin} --u_margin ${upperMargin} --lambda_g ${lambdaG}.`,
  );
  return constants;
}

/** What was calibrated on other weights holds no more. */
async function writeModel(graph: TrainableGraph, start: RecogniserContract, path: string): Promise<void> {
  const { calibration: _, thresholds: __, weightsDigest: ___, ...contract } = start;
  await writeWhole(path, writeGraph(graph, contract));
}

/** A line at each tenth of the way. */
function everyTenth(what: string, onNote: (line: string) => void): (done: number, total: number) => void {
  let told = 0;
  return (done, total) => {
    const tenths = Math.floor((10 * done) / total);
    if (tenths > told) onNote(`${what}: ${10 * tenths} %`);
    told = tenths;
  };
}
