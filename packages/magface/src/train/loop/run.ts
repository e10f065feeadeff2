/** A complete training run: this file prepares it, training-loop.ts runs its steps. */
import { cacheMemory, threads } from '@magface/torch';
import { loadModel } from '../../models/load-model.ts';
import { checkClasses } from '../data/classes.ts';
import { readDatasets } from '../data/dataset.ts';
import { stepsPerEpoch } from '../data/sample-order.ts';
import { prepareFinetuning } from '../finetune/finetune.ts';
import { backendOf, coresOfRank, groupOfOne } from '../parallel/environment.ts';
import { Ranks } from '../parallel/ranks.ts';
import { shareOfBatch } from '../parallel/shares.ts';
import type { MetricsRow } from '../record/metrics.ts';
import type { TrainConfig } from '../settings/config.ts';
import { isOnnx } from '../settings/modes.ts';
import { checkDevice, deviceOfRank } from './device.ts';
import { prepareNetwork } from './network-run.ts';
import { checkPrecision } from './precision.ts';
import { begin, claimOutput, resume, start } from './resume.ts';
import { type TrainHooks, withLock } from './train-hooks.ts';
import { TrainingLoop } from './training-loop.ts';
import { readValidationSet, validate } from './validate.ts';

/**
 * Trains as configured; an initial ONNX model is finetuned as a graph, see finetune/finetune.ts.
 *
 * @returns the last row of metrics, undefined if the run ended before one was due
 * @throws {ModelError} `model_untrainable` naming every operator of an ONNX model that cannot be trained
 */
export async function train(asked: TrainConfig, hooks: TrainHooks = {}): Promise<MetricsRow | undefined> {
  const config = { ...asked, device: deviceOfRank(asked.device, process.env, hooks.group?.size ?? 1) };
  checkDevice(config.device);
  checkPrecision(config);
  const group = hooks.group ?? (config.sampleRate < 1 ? groupOfOne(backendOf(config.device)) : undefined);
  const ranks = new Ranks(group, config);
  const { onNote = () => {} } = ranks.isFirst ? hooks : {};
  threads(config.threads ?? coresOfRank(process.env));
  cacheMemory(config.cacheMemory * 2 ** 20);
  const model = isOnnx(config.init) ? await loadModel(config.init!, { kind: 'recogniser' }) : undefined;
  const dataset = readDatasets(config.trainList, { root: config.root, classes: config.lastFcSize });
  stepsPerEpoch(config.batchSize, dataset.samples.length);
  shareOfBatch(config.batchSize, ranks); // fails before any long computation
  const dimension = model?.contract.embeddingLength ?? config.embeddingSize;
  checkClasses(dataset, { ...config, dimension, ranks: model === undefined ? ranks.size : 1 }, onNote);
  await using lock = ranks.isFirst ? await claimOutput(config) : undefined;
  const beginning = hooks.resume === true ? undefined : begin(config);
  const { evalPairs, evalRoot: root } = config;
  const validation = evalPairs === undefined ? undefined : await readValidationSet(evalPairs, { root, part: ranks });
  const run = { config, dataset, ranks, onNote };
  await using prepared = model === undefined ? await prepareNetwork(run) : await prepareFinetuning(run, model);
  const { trainer } = prepared;
  const position = beginning ?? (await resume(config, trainer, onNote));
  if (position === start) await prepared.begin?.();
  const heard = { ...withLock(hooks, lock), onNote };
  const parts = { ...prepared, validate: validation && ((epoch: number) => validate(trainer, validation, epoch)) };
  const loop = new TrainingLoop(config, prepared.watch?.(heard) ?? heard, parts, position);
  const row = await loop.run();
  if (loop.isOver) await prepared.finish?.(row);
  return row;
}
