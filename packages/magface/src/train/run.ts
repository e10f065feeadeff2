/** A whole training run: data, schedule, metrics, checkpoints, resuming, and the guard against NaN. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { cacheMemory, type ProcessGroup, threads } from '@magface/torch';
import { MagfaceError } from '../errors.ts';
import { magnitudesOf } from '../eval/feature-set.ts';
import { architecture } from './architectures.ts';
import { checkpointName, listCheckpoints, writeCheckpoint } from './checkpoint-file.ts';
import type { TrainConfig } from './config.ts';
import { type Dataset, datasetSize, readDatasets } from './dataset.ts';
import { checkDevice, deviceOfRank } from './device.ts';
import { finetune } from './finetune/finetune.ts';
import { isOnnx } from './finetune/finetune-settings.ts';
import { loadWeights, magnitudeAdvice } from './initial-weights.ts';
import { Loader } from './loader.ts';
import { LossScale } from './loss-scale.ts';
import { leastLambdaG, type MagFaceConstants } from './magface-loss.ts';
import { MemoryUse } from './memory-use.ts';
import { type MetricsRow, MetricsWindow } from './metrics.ts';
import { backendOf, coresOfRank, groupOfOne } from './parallel/environment.ts';
import { Ranks } from './parallel/ranks.ts';
import { removeShards, writeSharded } from './parallel/sharded-checkpoint.ts';
import { checkPrecision } from './precision.ts';
import { begin, type Position, resume, start } from './resume.ts';
import { RunRecords } from './run-records.ts';
import type { Sample } from './samples.ts';
import { learningRate, type ScheduleOptions } from './schedule.ts';
import { type StepResult, Trainer } from './trainer.ts';
import { readValidationSet, type ValidationRow, type ValidationSet, validate } from './validate.ts';

/** What a caller may hear of and do while it runs. */
export interface TrainHooks {
  /** Goes on from the newest whole checkpoint in the output folder. @default false */
  readonly resume?: boolean;
  /** Ends the run after the step in hand, with a checkpoint. */
  readonly signal?: AbortSignal;
  /** The processes that train together, each of which calls this; the first alone speaks and writes. @default none */
  readonly group?: ProcessGroup;
  /** A sentence for people. */
  readonly onNote?: (line: string) => void;
  /** A row of metrics. */
  readonly onRow?: (row: MetricsRow) => void;
  /** After an epoch's validation. */
  readonly onValidation?: (row: ValidationRow) => void;
  /** Each step. @param step - done in all */
  readonly onStep?: (step: number, total: number, result: StepResult) => void;
}

/** Steps in a row that may be left out before the run gives up. */
const patience = 10;

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
  const ranks = group && new Ranks(group, config);
  const isFirst = ranks?.isFirst ?? true;
  const { onNote = () => {} } = isFirst ? hooks : {};
  const cores = coresOfRank(process.env);
  checkPrecision(config);
  threads(config.threads ?? cores);
  cacheMemory(config.cacheMemory * 2 ** 20);
  const dataset = readDatasets(config.trainList, { root: config.root, classes: config.lastFcSize });
  noteLambda(config, onNote);
  mkdirSync(config.output, { recursive: true });
  if (isFirst) removeShards(config.output);
  await using loader = new Loader(dataset, {
    batchSize: config.batchSize,
    seed: config.seed,
    flip: config.flip,
    workers: config.workers ?? Math.min(4, cores),
    ...(ranks !== undefined && { part: ranks.group }),
    onUnreadable: (path, reason) => onNote(`${path} cannot be read and is replaced: ${reason}`),
  });
  const trainer = createTrainer(config, dataset, ranks);
  const validation =
    config.evalPairs === undefined || !isFirst ? undefined : await readValidationSet(config.evalPairs, config.evalRoot);
  const position = hooks.resume === true ? await resume(config, trainer, onNote) : begin(config);
  if (config.init !== undefined && position === start)
    await startFrom(config.init, config, { loader, trainer }, onNote);
  onNote(
    `${config.arch}: ${datasetSize(dataset)}, ${loader.stepsPerEpoch} steps of ${config.batchSize} an epoch, ${config.epochs} epochs, ${config.precision}${ranks === undefined ? '' : `, ${ranks.group.size} ranks`}.`,
  );
  return await new Run(config, { ...hooks, onNote }, { loader, trainer, validation }, position).go(); // awaited: the loader closes after it
}

function createTrainer(config: TrainConfig, dataset: Dataset, ranks: Ranks | undefined): Trainer {
  return new Trainer({
    architecture: architecture(config.arch, config.embeddingSize),
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
    ...(ranks !== undefined && { ranks }),
  });
}

/** Takes a backbone over and says when its magnitudes do not lie between l_a and u_a. */
async function startFrom(
  file: string,
  config: TrainConfig,
  { loader, trainer }: Pick<Parts, 'loader' | 'trainer'>,
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

interface Parts {
  readonly loader: Loader;
  readonly trainer: Trainer;
  readonly validation: ValidationSet | undefined;
}

class Run {
  readonly #config: TrainConfig;
  readonly #hooks: TrainHooks;
  readonly #loader: Loader;
  readonly #trainer: Trainer;
  readonly #validation: ValidationSet | undefined;
  readonly #schedule: ScheduleOptions;
  readonly #window: MetricsWindow;
  readonly #total: number;
  readonly #ranks: Ranks | undefined;
  /** Of the first rank, or of the only process. */
  readonly #records: RunRecords | undefined;
  readonly #memory = new MemoryUse();
  #epoch: number;
  #step: number;
  #skipped: number;
  #skippedInARow = 0;
  #lastCheckpoint: string | undefined;
  #lastRow: MetricsRow | undefined;
  /** One decision of all ranks, made after each step. */
  #isStopping = false;
  /** Images and milliseconds since the last row. */
  #since = { images: 0, start: performance.now() };

  constructor(config: TrainConfig, hooks: TrainHooks, { loader, trainer, validation }: Parts, position: Position) {
    this.#config = config;
    this.#hooks = hooks;
    this.#loader = loader;
    this.#trainer = trainer;
    this.#validation = validation;
    this.#ranks = trainer.options.ranks;
    this.#schedule = { ...config, dropEpochs: config.lrDropEpoch, dropRatio: config.lrDropRatio };
    this.#window = new MetricsWindow(position.window);
    this.#total = Math.min(config.epochs * loader.stepsPerEpoch, config.maxSteps ?? Number.POSITIVE_INFINITY);
    this.#epoch = position.epoch;
    this.#step = position.step;
    this.#skipped = position.skipped;
    const isFirst = this.#ranks?.isFirst ?? true;
    this.#records = isFirst ? new RunRecords(config, { epoch: this.#epoch, done: this.#done }) : undefined;
  }

  /** Steps done in all. */
  get #done(): number {
    return this.#epoch * this.#loader.stepsPerEpoch + this.#step;
  }

  #decideToStop(): void {
    const wanted = this.#hooks.signal?.aborted === true;
    this.#isStopping = this.#ranks?.any(wanted) ?? wanted;
  }

  async go(): Promise<MetricsRow | undefined> {
    this.#decideToStop();
    while (this.#done < this.#total && !this.#isStopping) {
      const ended = await this.#runEpoch();
      if (!ended) break;
      this.#epoch++;
      this.#step = 0;
      const isLast = this.#done >= this.#total || this.#isStopping;
      if (isLast || this.#epoch % this.#config.saveEpochs === 0) await this.#save();
      if (this.#epoch % this.#config.evalEpochs === 0) await this.#validate();
      this.#records?.writeReport();
    }
    this.#records?.writeReport();
    return this.#lastRow;
  }

  /** @returns whether the epoch came to its end */
  async #runEpoch(): Promise<boolean> {
    const { saveSteps } = this.#config;
    const { stepsPerEpoch } = this.#loader;
    for await (const batch of this.#loader.batches(this.#epoch, this.#step)) {
      const lr = learningRate(this.#epoch, this.#step, stepsPerEpoch, this.#schedule);
      const result = this.#trainer.step(batch, lr);
      this.#step++;
      const indices = this.#ranks?.gatherIndices(batch.indices) ?? batch.indices;
      this.#guard(result, indices);
      if (result.skipped === undefined) {
        this.#window.add(result);
        this.#records?.addStep(this.#epoch, result, this.#samples(indices));
      }
      this.#since.images += indices.length;
      this.#hooks.onStep?.(this.#done, this.#total, result);
      if (this.#done % this.#config.printFreq === 0 || this.#done === this.#total) this.#print(lr);
      if (this.#step === stepsPerEpoch) return true;
      await setImmediate(); // lets Ctrl-C be heard: a step blocks the thread
      this.#decideToStop();
      if (this.#isStopping || this.#done === this.#total) {
        await this.#save();
        return false;
      }
      if (saveSteps !== undefined && this.#step % saveSteps === 0) await this.#save();
    }
    return true;
  }

  /** Counts and names steps that were left out; ten in a row end the run. */
  #guard({ skipped }: StepResult, indices: Uint32Array): void {
    if (skipped === undefined) {
      this.#skippedInARow = 0;
      return;
    }
    this.#skipped++;
    this.#skippedInARow++;
    const { reason, sample } = skipped;
    const which = sample === undefined ? '' : ` The sample is ${this.#samples(indices)[sample]?.path}.`;
    this.#hooks.onNote?.(`Step ${this.#done} is left out. ${reason}${which}`);
    if (this.#skippedInARow < patience) return;
    throw new MagfaceError(
      'training_diverged',
      `Expected finite losses but ${patience} steps in a row had none: lower --lr or --scale, and go on from ${this.#lastCheckpoint ?? 'the beginning, as no checkpoint was written yet'}.`,
    );
  }

  #print(lr: number): void {
    if (this.#window.state.steps === 0) return;
    const { images, start: since } = this.#since;
    const imagesPerSecond = images / ((performance.now() - since) / 1000);
    const { batchSize } = this.#config;
    const row: MetricsRow = {
      epoch: this.#epoch,
      step: this.#done,
      samples: this.#done * batchSize,
      ...this.#window.take(),
      lr,
      skipped: this.#skipped,
      imagesPerSecond,
      secondsLeft: ((this.#total - this.#done) * batchSize) / imagesPerSecond,
      ...this.#memory.take(),
    };
    this.#lastRow = row;
    this.#records?.addRow(row);
    if (this.#records !== undefined) this.#hooks.onRow?.(row);
    this.#since = { images: 0, start: performance.now() };
  }

  #samples(indices: Uint32Array): Sample[] {
    return Array.from(indices, (index) => this.#loader.dataset.samples.at(index)!);
  }

  /** The model of the best accuracy so far is kept as `best.safetensors`. */
  async #validate(): Promise<void> {
    const isBest = await this.#isBestSoFar();
    if (this.#ranks?.any(isBest) ?? isBest) await this.#save('best.safetensors');
  }

  /** By the first rank's word: it alone validates. */
  async #isBestSoFar(): Promise<boolean> {
    if (this.#validation === undefined || this.#records === undefined) return false;
    const row = await validate(this.#trainer, this.#validation, this.#epoch);
    this.#hooks.onValidation?.(row);
    return this.#records.addValidation(row, this.#done);
  }

  async #save(name: string = checkpointName(this.#epoch, this.#step)): Promise<void> {
    const position: Position = {
      epoch: this.#epoch,
      step: this.#step,
      skipped: this.#skipped,
      window: this.#window.state,
    };
    const file = join(this.#config.output, name);
    const content = this.#trainer.save({ position, config: this.#config, metrics: this.#lastRow ?? null });
    if (this.#ranks === undefined) await writeCheckpoint(file, content);
    else await writeSharded(file, content, this.#ranks.group);
    this.#lastCheckpoint = file;
    const { keep } = this.#config;
    if (keep !== undefined && this.#records !== undefined)
      for (const old of listCheckpoints(this.#config.output).slice(keep)) rmSync(old);
  }
}
