/**
 * The steps of a training or finetuning run: schedule, metrics, checkpoints, validation, the guard against NaN. The caller
 * provides the batches and the step.
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

/** A batch for one step. */
export interface StepBatch {
  /** Dataset indices of the samples in this process's share. */
  readonly indices: Uint32Array;
}

/** Source of batches: a {@link Loader}, or a source of views. */
export interface BatchSource<Batch> {
  readonly dataset: Dataset;
  readonly stepsPerEpoch: number;
  /** @param firstStep - within the epoch, from 0; earlier steps are skipped */
  batches(epoch: number, firstStep: number): AsyncIterable<Batch>;
}

/** Learns from batches: see {@link Learner}. */
export interface BatchLearner<Batch> {
  readonly ranks: Ranks;
  readonly head: { readonly isSplit: boolean };
  step(batch: Batch, lr: number): StepResult;
  /** Adds the weights to their mean. @default there is no mean */
  average?(): void;
  save(state: Readonly<Record<string, unknown>>): CheckpointContent;
}

/** The parts of a run. */
export interface RunParts<Batch> {
  readonly loader: BatchSource<Batch>;
  readonly trainer: BatchLearner<Batch>;
  /** Validates the model after the given number of epochs. @default never */
  readonly validate?: ((epoch: number) => Promise<ValidationRow>) | undefined;
  /** Saves the best model so far. @default as the checkpoint `best.safetensors` */
  readonly keepBest?: (() => Promise<void>) | undefined;
}

/** Runs steps and epochs from a position, and writes checkpoints and metrics. */
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
  /** Records of the first rank, or of the only process, from its first step. */
  #records: RunRecords | undefined;
  readonly #memory = new MemoryUse();
  #epoch: number;
  #step: number;
  /** Total images seen. */
  #samples: number;
  readonly #skips: SkipCounter;
  #lastCheckpoint: string | undefined;
  #lastRow: MetricsRow | undefined;
  /** Decision shared by all ranks, made after each step. */
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

  /** Total steps done. */
  get #done(): number {
    return this.#epoch * this.#loader.stepsPerEpoch + this.#step;
  }

  /** Whether all steps are done; if not, a checkpoint holds the position. */
  get isOver(): boolean {
    return this.#done >= this.#total;
  }

  #decideToStop(): void {
    this.#isStopping = this.#ranks.any(this.#hooks.signal?.aborted === true);
  }

  /** @returns the last row of metrics @throws {MagfaceError} `training_diverged` */
  async run(): Promise<MetricsRow | undefined> {
    if (this.isOver) return undefined; // its records are already complete
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

  /** @returns whether the epoch is complete */
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
      await setImmediate(); // lets Ctrl-C be handled: a step blocks the thread
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

  /** Validates the model and keeps the most accurate one. */
  async #judge(): Promise<void> {
    const begin = performance.now();
    const isBest = await this.#isBestSoFar();
    if (this.#ranks.any(isBest)) await this.#keepBest();
    this.#since.start += performance.now() - begin; // images per second count only steps
  }

  /** The first rank decides, since it alone has the previous validations. */
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

/** Indices of the samples that have magnitudes in the step's result. */
function toldOf({ rows }: StepResult, indices: Uint32Array): Uint32Array {
  return rows === undefined ? indices : Uint32Array.from(rows, (row) => indices[row]!);
}
