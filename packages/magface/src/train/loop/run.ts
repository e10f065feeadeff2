/** A whole training run: what it needs is made ready here, training-loop.ts has its steps. */
import { cacheMemory, threads } from '@magface/torch';
import { magnitudesOf } from '../../eval/feature-set.ts';
import { checkClasses } from '../data/classes.ts';
import { datasetSize, readDatasets } from '../data/dataset.ts';
import { Loader } from '../data/loader.ts';
import type { Dataset } from '../data/samples.ts';
import { finetune } from '../finetune/finetune.ts';
import { openArchitecture } from '../model/architectures.ts';
import { loadWeights, magnitudeAdvice } from '../model/initial-weights.ts';
import { leastLambdaG, type MagFaceConstants } from '../model/magface-loss.ts';
import { backendOf, coresOfRank, groupOfOne } from '../parallel/environment.ts';
import { Ranks } from '../parallel/ranks.ts';
import type { MetricsRow } from '../record/metrics.ts';
import type { TrainConfig } from '../settings/config.ts';
import { isOnnx } from '../settings/modes.ts';
import { checkDevice, deviceOfRank } from './device.ts';
import { LossScale } from './loss-scale.ts';
import { checkPrecision } from './precision.ts';
import { begin, claimOutput, resume, start } from './resume.ts';
import { type TrainHooks, withLock } from './train-hooks.ts';
import { Trainer } from './trainer.ts';
import { TrainingLoop } from './training-loop.ts';
import { readValidationSet, validate } from './validate.ts';

/**
 * Trains as the configuration says; an ONNX model to start from is finetuned as it is, see finetune/finetune.ts.
 *
 * @returns the last row of metrics, undefined when the run was over before one was due
 */
export async function train(asked: TrainConfig, hooks: TrainHooks = {}): Promise<MetricsRow | undefined> {
  if (isOnnx(asked.init)) return await finetune(asked, hooks);
  const config = { ...asked, device: deviceOfRank(asked.device, process.env, hooks.group?.size ?? 1) };
  checkDevice(config.device);
  const group = hooks.group ?? (config.sampleRate < 1 ? groupOfOne(backendOf(config.device)) : undefined);
  const ranks = new Ranks(group, config);
  const { onNote = () => {} } = ranks.isFirst ? hooks : {};
  const cores = coresOfRank(process.env);
  checkPrecision(config);
  threads(config.threads ?? cores);
  cacheMemory(config.cacheMemory * 2 ** 20);
  const dataset = readDatasets(config.trainList, { root: config.root, classes: config.lastFcSize });
  checkClasses(dataset, { ...config, dimension: config.embeddingSize, ranks: ranks.size }, onNote);
  noteLambda(config, onNote);
  await using lock = ranks.isFirst ? await claimOutput(config) : undefined;
  await using loader = new Loader(dataset, {
    batchSize: config.batchSize,
    seed: config.seed,
    flip: config.flip,
    workers: config.workers ?? Math.min(4, cores),
    part: ranks,
    onUnreadable: (path, reason) => onNote(`${path} cannot be read and is replaced: ${reason}`),
  });
  const trainer = await createTrainer(config, dataset, ranks);
  const { evalPairs, evalRoot: root } = config;
  const validation = evalPairs === undefined ? undefined : await readValidationSet(evalPairs, { root, part: ranks });
  const position = hooks.resume === true ? await resume(config, trainer, onNote) : begin(config);
  if (config.init !== undefined && position === start)
    await startFrom(config.init, config, { loader, trainer }, onNote);
  onNote(
    `${config.arch}: ${datasetSize(dataset)}, ${loader.stepsPerEpoch} steps of ${config.batchSize} an epoch, ${config.epochs} epochs, ${config.precision}${group === undefined ? '' : `, ${ranks.size} ranks`}.`,
  );
  const watched = { ...withLock(hooks, lock), onNote };
  const parts = {
    loader,
    trainer,
    validate: validation && ((epoch: number) => validate(trainer, validation, epoch)),
  };
  return await new TrainingLoop(config, watched, parts, position).run(); // awaited: the loader closes after it
}

async function createTrainer(config: TrainConfig, dataset: Dataset, ranks: Ranks): Promise<Trainer> {
  return new Trainer({
    architecture: await openArchitecture(config.arch, config.embeddingSize),
    classes: dataset.classes,
    loss: config satisfies MagFaceConstants,
    momentum: config.momentum,
    weightDecay: config.weightDecay,
    dropout: config.dropout,
    precision: config.precision,
    device: config.device,
    fused: config.fused,
    seed: config.seed,
    sampleRate: config.sampleRate,
    ...(config.precision === 'fp16' && { lossScale: new LossScale() }),
    ranks,
  });
}

/** Takes a backbone over and says when its magnitudes do not lie between l_a and u_a. */
async function startFrom(
  file: string,
  config: TrainConfig,
  { loader, trainer }: { readonly loader: Loader; readonly trainer: Trainer },
  onNote: (line: string) => void,
): Promise<void> {
  await loadWeights(trainer.network, file);
  for await (const { faces } of loader.batches(0)) {
    const { values, dimension } = { values: trainer.embed(faces), dimension: config.embeddingSize };
    const advice = magnitudeAdvice(magnitudesOf({ values, dimension }), config);
    if (advice !== undefined) onNote(advice);
    return;
  }
}

/** The paper's bound on λ_g, said at the start with the value to use. */
function noteLambda(config: TrainConfig, onNote: (line: string) => void): void {
  const least = leastLambdaG(config);
  if (config.lambdaG >= least) return;
  onNote(
    `lambda_g is ${config.lambdaG}, below its lower bound ${least.toFixed(2)}: magnitudes may not settle within (l_a, u_a]. Use --lambda_g ${Math.ceil(least)} or more.`,
  );
}
