/**
 * Finetunes any ONNX recogniser: runs its frozen front once, measures its recipe, preserves its knowledge, and writes the
 * same graph with new weights to `model.onnx`.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Device, scope } from '@magface/torch';
import { writeWhole } from '../../format/file-writer.ts';
import { insertBatchNorm, startBatchNorm } from '../../graph/torch/fresh-batch-norm.ts';
import { type FileNetwork, openGraph } from '../../graph/torch/open-graph.ts';
import type { RecogniserContract } from '../../models/contract.ts';
import type { LoadedModel } from '../../models/load-model.ts';
import { randomStream } from '../../random.ts';
import type { Dataset } from '../data/samples.ts';
import { LossScale } from '../loop/loss-scale.ts';
import type { PreparedRun, RunStart } from '../loop/prepared-run.ts';
import { everyTenth } from '../loop/train-hooks.ts';
import type { MagFaceConstants } from '../model/magface-loss.ts';
import { magnitudeQuantiles, recipeFor } from '../model/recipe.ts';
import { writeGraph } from '../model/write-graph.ts';
import { coresOfRank } from '../parallel/environment.ts';
import type { TrainConfig } from '../settings/config.ts';
import type { AugmentationOptions } from './augmentations.ts';
import { withCollapseWarning } from './collapse-warning.ts';
import { finetuneBatches } from './finetune-batches.ts';
import { Finetuner } from './finetuner.ts';
import { FrontCache, facesDigest, frontName } from './front-cache.ts';
import { frontOf, selectWeights } from './select-weights.ts';
import { type StartKnowledge, startKnowledge } from './start-knowledge.ts';
import { keepFront, readViews, type ViewSource } from './view-source.ts';

/** The resulting model, in the run's folder. */
const modelFile = 'model.onnx';

/** The model with the best validation, in the same folder. */
const bestFile = 'best.onnx';

/** Prepares the run that finetunes the model. */
export async function prepareFinetuning(
  run: RunStart,
  { bytes, contract, name, digest }: LoadedModel<'recogniser'>,
): Promise<PreparedRun> {
  const { config, dataset, ranks, onNote } = run;
  const graph = openToTrain(bytes, name, config);
  const trained = selectWeights(graph, config);
  const front = frontOf(graph, trained);
  onNote(describeRun(name, run, { graph, trained, front }));

  const { precision, device, seed } = config;
  const damage = { strength: config.degradeStrength, kinds: config.degradeKinds as AugmentationOptions['kinds'] };
  const workers = config.workers ?? Math.min(4, coresOfRank(process.env));
  const views = { ...config, ...damage, workers, ranks, graph, dataset, input: contract.input };
  const place = device === 'cpu' ? {} : { device };
  const cache = openCache(config.frontCache, { weights: digest, front, precision, ...damage, seed, ...place }, dataset);
  const source =
    front === undefined
      ? readViews(views)
      : await keepFront(views, { front, cache, onProgress: everyTenth('Frozen front', onNote) });
  try {
    return await prepareTeaching(run, { source, graph, trained, front, cache, contract });
  } catch (error) {
    await source[Symbol.asyncDispose]();
    throw error;
  }
}

interface FinetuneParts {
  readonly source: ViewSource;
  readonly graph: FileNetwork;
  readonly trained: readonly string[];
  readonly front: string | undefined;
  readonly cache: FrontCache | undefined;
  readonly contract: RecogniserContract;
}

/** Builds a trainer that preserves the starting model's features of the faces. */
async function prepareTeaching(
  { config, dataset, ranks, onNote }: RunStart,
  parts: FinetuneParts,
): Promise<PreparedRun> {
  const { source, graph, contract } = parts;
  const { precision, output } = config;
  const { classes } = dataset;
  const start = await startKnowledge(source, {
    ...parts,
    precision,
    classes,
    ranks,
    labels: Int32Array.from(dataset.samples, ({ label }) => label),
    dimension: contract.embeddingLength,
    onProgress: everyTenth('Starting features', onNote),
  });
  const constants = constantsOf(config, start, onNote);
  const { pairLoss: loss, pairWeight: weight, pairMargin: margin } = config;
  const pairs = loss === 'none' ? {} : { pairs: { loss, weight, margin } };
  const weights = { keep: config.keepWeight, quality: config.qualityWeight, ...pairs };
  const centers = config.centers === 'mean' ? start.centers : randomCenters(start.centers.length, config.seed);
  const { input } = contract;
  const scaled = precision === 'fp16' ? { lossScale: new LossScale() } : {};
  const trainer = new Finetuner(graph, {
    ...config,
    ...parts,
    ...scaled,
    centers,
    classes,
    constants,
    weights,
    input,
    ranks,
  });
  if (config.freshBatchNorm) await beginBatchNorm(parts, config.batchSize);
  const write = async (file: string): Promise<void> => {
    if (ranks.isFirst) await trainer.mean.during(() => writeModel(graph, contract, file));
  };
  return {
    loader: finetuneBatches(source, { ...config, dataset, start, constants, ranks }),
    trainer,
    watch: (hooks) =>
      ranks.isFirst ? withCollapseWarning(hooks, magnitudeQuantiles(start.magnitudes), constants) : hooks,
    keepBest: () => write(join(output, bestFile)),
    finish: async (row) => {
      const file = join(output, modelFile);
      if (row === undefined && existsSync(file)) return; // already finished, and perhaps calibrated since
      await write(file);
      onNote(
        `Wrote ${file}: give it a quality scale with \`magface calibrate --model ${file} --faces FOLDER --aligned --output ${file}\`, from ordinary faces that it was not trained on.`,
      );
    },
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  };
}

/** Opens the graph; `freshBatchNorm` adds a BatchNorm behind each trained convolution that has none. */
function openToTrain(bytes: Uint8Array, name: string, config: TrainConfig): FileNetwork {
  const graph = openGraph(bytes, name, config.device as Device);
  return config.freshBatchNorm ? insertBatchNorm(graph, selectWeights(graph, config)) : graph;
}

/** @returns undefined without a folder; files are checked for changes only if there is a cache */
function openCache(folder: string | undefined, facts: object, { samples }: Dataset): FrontCache | undefined {
  if (folder === undefined) return undefined;
  return new FrontCache(folder, frontName({ ...facts, faces: facesDigest(samples) }));
}

/** Initialises the statistics from the first faces and as many mirrored or damaged ones. */
async function beginBatchNorm({ source, graph, front }: FinetuneParts, batchSize: number): Promise<void> {
  const load = await source.load(
    Array.from({ length: batchSize }, (_, sample) => ({ sample, view: sample % source.views })),
  );
  using _scope = scope();
  startBatchNorm(graph, load(), front);
}

/** Only directions matter: the loss normalises each center. */
function randomCenters(length: number, seed: number): Float32Array {
  const random = randomStream(seed);
  return Float32Array.from({ length }, () => 2 * random() - 1);
}

function describeRun(
  name: string,
  { config, dataset, ranks }: RunStart,
  { graph, trained, front }: Pick<FinetuneParts, 'graph' | 'trained' | 'front'>,
): string {
  const values = trained.reduce((sum, weight) => sum + graph.weights.get(weight)!.length, 0);
  const where = front === undefined ? 'from the input on' : `behind the value ${front}, up to which it is run once`;
  return `${name}: ${dataset.samples.length} images of ${dataset.classes} people in ${config.views} views each; ${values} weights are trained${ranks.size === 1 ? '' : ` by ${ranks.size} ranks`}, ${where}.`;
}

/** The constants from the settings, or else from the recipe. */
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

/** Writes the current weights. Drops the calibration, which applied to the old ones. */
function writeModel(graph: FileNetwork, start: RecogniserContract, path: string): Promise<void> {
  const { calibration: _, thresholds: __, weightsDigest: ___, ...contract } = start;
  return writeWhole(path, writeGraph(graph, contract));
}
