/** The steps of a finetuning run: batches by plan, targets by what the starting model knew, rows of metrics, warnings. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Dataset } from '../data/dataset.ts';
import { checkpointName, listCheckpoints, writeCheckpoint } from '../loop/checkpoint-file.ts';
import type { Beginning, Position } from '../loop/resume.ts';
import { learningRate, type ScheduleOptions } from '../loop/schedule.ts';
import { SkipCounter } from '../loop/skipped-steps.ts';
import type { TrainHooks } from '../loop/train-hooks.ts';
import { MemoryUse } from '../record/memory-use.ts';
import { type MetricsRow, MetricsWindow } from '../record/metrics.ts';
import { RunRecords } from '../record/run-records.ts';
import type { TrainConfig } from '../settings/config.ts';
import { type BatchPlanOptions, plannedBatches, stepsPerEpoch } from './batch-plan.ts';
import { type FinetuneTargets, targetMagnitudes } from './finetune-loss.ts';
import type { Finetuner } from './finetuner.ts';
import { collapseWarning, type MagnitudeQuantiles, magnitudeQuantiles } from './recipe.ts';
import type { StartKnowledge } from './start-knowledge.ts';
import type { ViewPlace, ViewSource } from './view-source.ts';

export interface FinetuneParts {
  readonly tuner: Finetuner;
  readonly source: ViewSource;
  readonly start: StartKnowledge;
  readonly dataset: Dataset;
}

export class FinetuneRun {
  readonly #config: TrainConfig;
  readonly #hooks: TrainHooks;
  readonly #parts: FinetuneParts;
  readonly #plan: BatchPlanOptions;
  readonly #schedule: ScheduleOptions;
  readonly #stepsPerEpoch: number;
  readonly #total: number;
  #records: RunRecords | undefined;
  readonly #window: MetricsWindow;
  readonly #memory = new MemoryUse();
  readonly #started = performance.now();
  /** (V, N): t */
  readonly #targets: Float32Array;
  readonly #startQuantiles: MagnitudeQuantiles;
  /** Since the last row. */
  #magnitudes: number[] = [];
  #done: number;
  /** Steps that were done before this process went on. */
  readonly #before: number;
  /** Images seen in all. */
  #samples: number;
  readonly #skips: SkipCounter;
  #lastCheckpoint: string | undefined;
  #row: MetricsRow | undefined;

  constructor(config: TrainConfig, hooks: TrainHooks, parts: FinetuneParts, position: Beginning) {
    const { start, dataset, source, tuner } = parts;
    this.#config = config;
    this.#hooks = hooks;
    this.#parts = parts;
    this.#plan = { ...config, samples: dataset.samples.length, views: source.views };
    this.#schedule = { ...config, dropEpochs: config.lrDropEpoch, dropRatio: config.lrDropRatio };
    this.#stepsPerEpoch = stepsPerEpoch(config, dataset.samples.length);
    this.#total = Math.min(config.epochs * this.#stepsPerEpoch, config.maxSteps ?? Number.POSITIVE_INFINITY);
    this.#done = position.epoch * this.#stepsPerEpoch + position.step;
    this.#before = this.#done;
    this.#skips = new SkipCounter(position.skipped, hooks.onNote);
    this.#lastCheckpoint = position.checkpoint;
    this.#window = new MetricsWindow(position.window);
    this.#samples = position.samples ?? this.#done * config.batchSize;
    const count = dataset.samples.length;
    const damage = Array.from(start.own, (_, row) =>
      source.damage({ sample: row % count, view: Math.floor(row / count) }),
    );
    this.#targets = targetMagnitudes(start.own, damage, tuner.options.constants);
    this.#startQuantiles = magnitudeQuantiles(start.magnitudes);
  }

  /** Whether every step is done; otherwise a checkpoint says where it stopped. */
  get isOver(): boolean {
    return this.#done >= this.#total;
  }

  /** @returns the last row of metrics */
  async go(): Promise<MetricsRow | undefined> {
    if (this.isOver) return undefined; // its records are what they should be
    const epoch = Math.floor(this.#done / this.#stepsPerEpoch);
    this.#records = await RunRecords.open(this.#config, { epoch, samples: this.#samples });
    while (!this.isOver && !this.#isStopping) await this.#epoch(Math.floor(this.#done / this.#stepsPerEpoch));
    await this.#records.writeReport();
    return this.#row;
  }

  get #isStopping(): boolean {
    return this.#hooks.signal?.aborted === true;
  }

  /** What is left of it. */
  async #epoch(epoch: number): Promise<void> {
    const { saveSteps, saveEpochs } = this.#config;
    const first = this.#done - epoch * this.#stepsPerEpoch;
    for (const [step, places] of [...plannedBatches(epoch, this.#plan)].entries()) {
      if (step < first) continue;
      await this.#step(epoch, places);
      await setImmediate(); // lets Ctrl-C be heard: a step blocks the thread
      const isLast = step + 1 === this.#stepsPerEpoch && (epoch + 1) % saveEpochs === 0;
      const isDue = saveSteps !== undefined && (step + 1) % saveSteps === 0;
      if (isLast || isDue || this.isOver || this.#isStopping) await this.#save();
      if (this.isOver || this.#isStopping) return;
    }
  }

  async #save(): Promise<void> {
    const { output, keep } = this.#config;
    const [epoch, step] = [Math.floor(this.#done / this.#stepsPerEpoch), this.#done % this.#stepsPerEpoch];
    const [samples, skipped, window] = [this.#samples, this.#skips.total, this.#window.state];
    const position: Position = { epoch, step, samples, skipped, window };
    const content = this.#parts.tuner.save({ position, config: this.#config });
    const file = join(output, checkpointName(epoch, step));
    await writeCheckpoint(file, content);
    this.#lastCheckpoint = file;
    if (keep !== undefined) for (const old of listCheckpoints(output).slice(keep)) rmSync(old);
  }

  async #step(epoch: number, places: readonly ViewPlace[]): Promise<void> {
    const { source, tuner, dataset } = this.#parts;
    const step = this.#done - epoch * this.#stepsPerEpoch;
    const lr = learningRate(epoch, step, this.#stepsPerEpoch, this.#schedule);
    const targets = this.#targetsOf(places);
    const result = tuner.step(await source.load(places), targets, lr);
    this.#done++;
    this.#samples += places.length;
    if (this.#done > (1 - this.#config.averageLast) * this.#total) tuner.mean.add();
    this.#skips.add(this.#done, result.skipped, {
      samples: places.map(({ sample }) => dataset.samples.at(sample)!),
      checkpoint: this.#lastCheckpoint,
    });
    if (result.skipped === undefined) {
      const samples = Array.from(targets.recognisable, (row) => dataset.samples.at(places[Number(row)]!.sample)!);
      this.#window.add(result);
      this.#records?.addStep(epoch, result, samples);
      this.#magnitudes.push(...result.magnitudes);
    }
    this.#hooks.onStep?.(this.#done, this.#total, result);
    if (this.#done % this.#config.printFreq === 0 || this.#done === this.#total) this.#print(epoch, lr);
  }

  #targetsOf(places: readonly ViewPlace[]): FinetuneTargets {
    const { start, dataset } = this.#parts;
    const { values, dimension } = start.directions;
    const count = dataset.samples.length;
    const directions = new Float32Array(places.length * dimension);
    for (const [i, { sample }] of places.entries()) {
      directions.set(values.subarray(sample * dimension, (sample + 1) * dimension), i * dimension);
    }
    const rows = places.map(({ sample, view }) => view * count + sample);
    const recognisable = [...places.keys()].filter((i) => start.own[rows[i]!]! >= leastRecognisability);
    return {
      labels: BigInt64Array.from(places, ({ sample }) => BigInt(dataset.samples.at(sample)!.label)),
      start: directions,
      magnitudes: Float32Array.from(rows, (row) => this.#targets[row]!),
      recognisable: BigInt64Array.from(recognisable.length > 0 ? recognisable : [0], BigInt),
    };
  }

  #print(epoch: number, lr: number): void {
    if (this.#window.state.steps === 0) return;
    const { batchSize } = this.#config;
    const imagesPerSecond = ((this.#done - this.#before) * batchSize) / ((performance.now() - this.#started) / 1000);
    const row: MetricsRow = {
      epoch,
      step: this.#done,
      samples: this.#samples,
      ...this.#window.take(),
      ...this.#memory.take(),
      lr,
      skipped: this.#skips.total,
      imagesPerSecond,
      secondsLeft: ((this.#total - this.#done) * batchSize) / imagesPerSecond,
    };
    this.#row = row;
    this.#records?.addRow(row);
    this.#hooks.onRow?.(row);
    const { constants } = this.#parts.tuner.options;
    const warning = collapseWarning(magnitudeQuantiles(this.#magnitudes), this.#startQuantiles, constants);
    if (warning !== undefined) this.#hooks.onNote?.(warning);
    this.#magnitudes = [];
  }
}

/** Below this cosine to the person's other faces, a face looks like anyone: pulling it to its person would teach chance. */
const leastRecognisability = 0.3;
