/**
 * The steps of a run, of training and of finetuning alike: schedule, metrics, checkpoints, validation, the guard against NaN.
 * Where batches come from and what a step does with them is the caller's.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Dataset, Sample } from '../data/samples.ts';
import type { Ranks } from '../parallel/ranks.ts';
import { writeSharded } from '../parallel/sharded-checkpoint.ts';
import { MemoryUse } from '../record/memory-use.ts';
import { type MetricsRow, MetricsWindow } from '../record/metrics.ts';
import { RunRecords } from '../record/run-records.ts';
import type { TrainConfig } from '../settings/config.ts';
import { type CheckpointContent, checkpointName, listCheckpoints, writeCheckpoint } from './checkpoint-file.ts';
import type { StepResult } from './learner.ts';
import { type Beginning, type Position, stoppedNote } from './resume.ts';
import { learningRate, type ScheduleOptions } from './schedule.ts';
import { SkipCounter } from './skipped-steps.ts';
import type { TrainHooks } from './train-hooks.ts';
import type { ValidationRow } from './validate.ts';

/** What a step learns from. */
export interface StepBatch {
  /** Which samples of the dataset these are: of this process's share. */
  readonly indices: Uint32Array;
}

/** Where batches come from: a {@link Loader}, or a source of views. */
export interface BatchSource<Batch> {
  readonly dataset: Dataset;
  readonly stepsPerEpoch: number;
  /** @param firstStep - within the epoch, from 0; those before it are left out */
  batches(epoch: number, firstStep: number): AsyncIterable<Batch>;
}

/** What learns from them: see {@link Learner}. */
export interface BatchLearner<Batch> {
  readonly ranks: Ranks;
  readonly head: { readonly isSplit: boolean };
  step(batch: Batch, lr: number): StepResult;
  /** Takes the weights into their mean. @default there is no mean */
  average?(): void;
  save(state: Readonly<Record<string, unknown>>): CheckpointContent;
}

/** What a run is made of. */
export interface RunParts<Batch> {
  readonly loader: BatchSource<Batch>;
  readonly trainer: BatchLearner<Batch>;
  /** How good the model is after so many epochs. @default nobody asks */
  readonly validate?: ((epoch: number) => Promise<ValidationRow>) | undefined;
  /** Keeps the model that is the best so far. @default as `best.safetensors`, a checkpoint */
  readonly keepBest?: (() => Promise<void>) | undefined;
}

/** Steps, epochs, checkpoints and rows of metrics, from a position on. */
export class TrainingLoop<Batch extends StepBatch> {
  readonly #config: TrainConfig;
  readonly #hooks: TrainHooks;
  readonly #loader: BatchSource<Batch>;
  readonly #trainer: BatchLearner<Batch>;
  readonly #validate: RunParts<Batch>['validate'];
  readonly #keepBest: () => Promise<void>;
  readonly #schedule: ScheduleOptions;
  readonly #window: MetricsWindow;
  readonly #total: number;
  readonly #ranks: Ranks;
  /** Of the first rank, or of the only process, from its first step on. */
  #records: RunRecords | undefined;
  readonly #memory = new MemoryUse();
  #epoch: number;
  #step: number;
  /** Images seen in all. */
  #samples: number;
  readonly #skips: SkipCounter;
  #lastCheckpoint: string | undefined;
  #lastRow: MetricsRow | undefined;
  /** One decision of all ranks, made after each step. */
  #isStopping = false;
  /** Images and milliseconds since the last row. */
  #since = { images: 0, start: performance.now() };

  constructor(config: TrainConfig, hooks: TrainHooks, parts: RunParts<Batch>, position: Beginning) {
    const { loader, trainer, validate, keepBest = () => this.#save('best.safetensors') } = parts;
    this.#config = config;
    this.#hooks = hooks;
    this.#loader = loader;
    this.#trainer = trainer;
    this.#validate = validate;
    this.#keepBest = keepBest;
    this.#ranks = trainer.ranks;
    this.#schedule = { ...config, dropEpochs: config.lrDropEpoch, dropRatio: config.lrDropRatio };
    this.#window = new MetricsWindow(position.window);
    this.#total = Math.min(config.epochs * loader.stepsPerEpoch, config.maxSteps ?? Number.POSITIVE_INFINITY);
    this.#epoch = position.epoch;
    this.#step = position.step;
    this.#skips = new SkipCounter(position.skipped, hooks.onNote);
    this.#lastCheckpoint = position.checkpoint;
    this.#samples = position.samples ?? this.#done * config.batchSize;
  }

  /** Steps done in all. */
  get #done(): number {
    return this.#epoch * this.#loader.stepsPerEpoch + this.#step;
  }

  /** Whether every step is done; otherwise a checkpoint says where it stopped. */
  get isOver(): boolean {
    return this.#done >= this.#total;
  }

  #decideToStop(): void {
    this.#isStopping = this.#ranks.any(this.#hooks.signal?.aborted === true);
  }

  /** @returns the last row of metrics @throws {MagfaceError} `training_diverged` */
  async run(): Promise<MetricsRow | undefined> {
    if (this.isOver) return undefined; // its records are what they should be
    if (this.#ranks.isFirst)
      this.#records = await RunRecords.open(this.#config, { epoch: this.#epoch, samples: this.#samples });
    this.#decideToStop();
    while (!this.isOver && !this.#isStopping) {
      const ended = await this.#runEpoch();
      if (!ended) break;
      this.#epoch++;
      this.#step = 0;
      const isLast = this.isOver || this.#isStopping;
      if (isLast || this.#epoch % this.#config.saveEpochs === 0) await this.#save();
      if (this.#epoch % this.#config.evalEpochs === 0) await this.#judge();
      await this.#records?.writeReport();
    }
    await this.#records?.writeReport();
    if (!this.isOver && this.#lastCheckpoint !== undefined) this.#hooks.onNote?.(stoppedNote(this.#config));
    return this.#lastRow;
  }

  /** @returns whether the epoch came to its end */
  async #runEpoch(): Promise<boolean> {
    const { saveSteps, averageLast } = this.#config;
    const { stepsPerEpoch } = this.#loader;
    for await (const batch of this.#loader.batches(this.#epoch, this.#step)) {
      const lr = learningRate(this.#epoch, this.#step, stepsPerEpoch, this.#schedule);
      const result = this.#trainer.step(batch, lr);
      this.#step++;
      if (this.#done > (1 - averageLast) * this.#total) this.#trainer.average?.();
      const indices = this.#ranks.gatherIndices(batch.indices);
      this.#skips.add(this.#done, result.skipped, {
        samples: this.#samplesOf(indices),
        checkpoint: this.#lastCheckpoint,
      });
      if (result.skipped === undefined) {
        this.#window.add(result);
        this.#records?.addStep(this.#epoch, result, this.#samplesOf(toldOf(result, indices)));
      }
      this.#samples += indices.length;
      this.#since.images += indices.length;
      this.#hooks.onStep?.(this.#done, this.#total, result);
      if (this.#done % this.#config.printFreq === 0 || this.#done === this.#total) this.#print(lr);
      await setImmediate(); // lets Ctrl-C be heard: a step blocks the thread
      this.#decideToStop();
      if (this.#step === stepsPerEpoch) return true;
      if (this.#isStopping || this.isOver) {
        await this.#save();
        return false;
      }
      if (saveSteps !== undefined && this.#step % saveSteps === 0) await this.#save();
    }
    return true;
  }

  #print(lr: number): void {
    if (this.#window.state.steps === 0) return;
    const { images, start: since } = this.#since;
    const imagesPerSecond = images / ((performance.now() - since) / 1000);
    const { batchSize } = this.#config;
    const row: MetricsRow = {
      epoch: this.#epoch,
      step: this.#done,
      samples: this.#samples,
      ...this.#window.take(),
      lr,
      skipped: this.#skips.total,
      imagesPerSecond,
      secondsLeft: ((this.#total - this.#done) * batchSize) / imagesPerSecond,
      ...this.#memory.take(),
    };
    this.#lastRow = row;
    this.#records?.addRow(row);
    if (this.#records !== undefined) this.#hooks.onRow?.(row);
    this.#since = { images: 0, start: performance.now() };
  }

  #samplesOf(indices: Uint32Array): Sample[] {
    return Array.from(indices, (index) => this.#loader.dataset.samples.at(index)!);
  }

  /** The model of the best accuracy so far is kept. */
  async #judge(): Promise<void> {
    const begin = performance.now();
    const isBest = await this.#isBestSoFar();
    if (this.#ranks.any(isBest)) await this.#keepBest();
    this.#since.start += performance.now() - begin; // images a second are those of steps
  }

  /** By the first rank's word: it alone has the validations before. */
  async #isBestSoFar(): Promise<boolean> {
    if (this.#validate === undefined) return false;
    const row = await this.#validate(this.#epoch);
    if (this.#records === undefined) return false;
    this.#hooks.onValidation?.(row);
    return await this.#records.addValidation(row, this.#done);
  }

  async #save(name: string = checkpointName(this.#epoch, this.#step)): Promise<void> {
    const position: Position = {
      epoch: this.#epoch,
      step: this.#step,
      samples: this.#samples,
      skipped: this.#skips.total,
      window: this.#window.state,
    };
    const file = join(this.#config.output, name);
    const content = this.#trainer.save({ position, config: this.#config, metrics: this.#lastRow ?? null });
    const { group, isFirst } = this.#ranks;
    if (group !== undefined && this.#trainer.head.isSplit) await writeSharded(file, content, group);
    else if (isFirst) await writeCheckpoint(file, content);
    this.#lastCheckpoint = file;
    const { keep } = this.#config;
    if (keep !== undefined && this.#records !== undefined)
      for (const old of listCheckpoints(this.#config.output).slice(keep)) rmSync(old);
  }
}

/** The samples whose magnitudes a step tells, of all in its batch. */
function toldOf({ rows }: StepResult, indices: Uint32Array): Uint32Array {
  return rows === undefined ? indices : Uint32Array.from(rows, (row) => indices[row]!);
}
