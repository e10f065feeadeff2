/** The steps of a run: schedule, metrics, checkpoints, validation, and the guard against NaN. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Loader } from '../data/loader.ts';
import type { Sample } from '../data/samples.ts';
import type { Ranks } from '../parallel/ranks.ts';
import { writeSharded } from '../parallel/sharded-checkpoint.ts';
import { MemoryUse } from '../record/memory-use.ts';
import { type MetricsRow, MetricsWindow } from '../record/metrics.ts';
import { RunRecords } from '../record/run-records.ts';
import type { TrainConfig } from '../settings/config.ts';
import { checkpointName, listCheckpoints, writeCheckpoint } from './checkpoint-file.ts';
import { type Beginning, type Position, stoppedNote } from './resume.ts';
import { learningRate, type ScheduleOptions } from './schedule.ts';
import { SkipCounter } from './skipped-steps.ts';
import type { TrainHooks } from './train-hooks.ts';
import type { Trainer } from './trainer.ts';
import { type ValidationSet, validate } from './validate.ts';

/** What a run is made of. */
export interface RunParts {
  readonly loader: Loader;
  readonly trainer: Trainer;
  readonly validation: ValidationSet | undefined;
}

/** Steps, epochs, checkpoints and rows of metrics, from a position on. */
export class TrainingLoop {
  readonly #config: TrainConfig;
  readonly #hooks: TrainHooks;
  readonly #loader: Loader;
  readonly #trainer: Trainer;
  readonly #validation: ValidationSet | undefined;
  readonly #schedule: ScheduleOptions;
  readonly #window: MetricsWindow;
  readonly #total: number;
  readonly #ranks: Ranks | undefined;
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

  constructor(config: TrainConfig, hooks: TrainHooks, { loader, trainer, validation }: RunParts, position: Beginning) {
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
    this.#skips = new SkipCounter(position.skipped, hooks.onNote);
    this.#lastCheckpoint = position.checkpoint;
    this.#samples = position.samples ?? this.#done * config.batchSize;
  }

  /** Steps done in all. */
  get #done(): number {
    return this.#epoch * this.#loader.stepsPerEpoch + this.#step;
  }

  #decideToStop(): void {
    const wanted = this.#hooks.signal?.aborted === true;
    this.#isStopping = this.#ranks?.any(wanted) ?? wanted;
  }

  /** @returns the last row of metrics @throws {MagfaceError} `training_diverged` */
  async run(): Promise<MetricsRow | undefined> {
    if (this.#done >= this.#total) return undefined; // its records are what they should be
    if (this.#ranks?.isFirst ?? true)
      this.#records = await RunRecords.open(this.#config, { epoch: this.#epoch, samples: this.#samples });
    this.#decideToStop();
    while (this.#done < this.#total && !this.#isStopping) {
      const ended = await this.#runEpoch();
      if (!ended) break;
      this.#epoch++;
      this.#step = 0;
      const isLast = this.#done >= this.#total || this.#isStopping;
      if (isLast || this.#epoch % this.#config.saveEpochs === 0) await this.#save();
      if (this.#epoch % this.#config.evalEpochs === 0) await this.#validate();
      await this.#records?.writeReport();
    }
    await this.#records?.writeReport();
    if (this.#done < this.#total && this.#lastCheckpoint !== undefined) this.#hooks.onNote?.(stoppedNote(this.#config));
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
      this.#skips.add(this.#done, result.skipped, {
        samples: this.#samplesOf(indices),
        checkpoint: this.#lastCheckpoint,
      });
      if (result.skipped === undefined) {
        this.#window.add(result);
        this.#records?.addStep(this.#epoch, result, this.#samplesOf(indices));
      }
      this.#samples += indices.length;
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

  /** The model of the best accuracy so far is kept as `best.safetensors`. */
  async #validate(): Promise<void> {
    const isBest = await this.#isBestSoFar();
    if (this.#ranks?.any(isBest) ?? isBest) await this.#save('best.safetensors');
  }

  /** By the first rank's word: it alone has the validations before. */
  async #isBestSoFar(): Promise<boolean> {
    if (this.#validation === undefined) return false;
    const row = await validate(this.#trainer, this.#validation, this.#epoch);
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
    if (this.#ranks === undefined) await writeCheckpoint(file, content);
    else await writeSharded(file, content, this.#ranks.group);
    this.#lastCheckpoint = file;
    const { keep } = this.#config;
    if (keep !== undefined && this.#records !== undefined)
      for (const old of listCheckpoints(this.#config.output).slice(keep)) rmSync(old);
  }
}
