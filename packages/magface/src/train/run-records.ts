/** What a run writes into its folder as it goes: metrics, events for TensorBoard, validation, pictures, the report. */
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TrainConfig } from './config.ts';
import { forgetAfter, type MetricsRow, readMetrics, readRows } from './metrics.ts';
import { PictureBook, readPictures, writePictures } from './pictures.ts';
import type { Sample } from './samples.ts';
import { EventFile } from './tensorboard.ts';
import { trainReport } from './train-report.ts';
import type { StepResult } from './trainer.ts';
import type { ValidationRow } from './validate.ts';

export class RunRecords {
  readonly #config: TrainConfig;
  readonly #pictures: PictureBook;
  readonly #events: EventFile;

  /** @param done - steps that a resumed run has behind it; rows of later ones are taken back */
  constructor(config: TrainConfig, { epoch, done }: { readonly epoch: number; readonly done: number }) {
    this.#config = config;
    forgetAfter(this.#path('metrics.jsonl'), done);
    this.#events = new EventFile(config.output);
    this.#pictures = new PictureBook(done === 0 ? undefined : readPictures(this.#path('pictures.json')), epoch);
  }

  addStep(epoch: number, result: StepResult, samples: readonly Sample[]): void {
    this.#pictures.add(epoch, result, samples);
  }

  addRow(row: MetricsRow): void {
    appendFileSync(this.#path('metrics.jsonl'), `${JSON.stringify(row)}\n`);
    this.#events.add(row.step, scalarsOf(row));
  }

  /** @returns whether it is the best so far */
  addValidation(row: ValidationRow, done: number): boolean {
    const before = this.#validation().filter(({ epoch }) => epoch < row.epoch);
    writeFileSync(this.#path('validation.jsonl'), [...before, row].map((one) => `${JSON.stringify(one)}\n`).join(''));
    this.#events.add(done, { 'validation/accuracy': row.accuracy, 'validation/auc': row.auc });
    return before.every(({ accuracy }) => accuracy < row.accuracy);
  }

  /** Writes `report.html` anew. */
  writeReport(): void {
    const { pictures } = this.#pictures;
    writePictures(this.#path('pictures.json'), pictures);
    const rows = readMetrics(this.#path('metrics.jsonl'));
    const report = trainReport({ config: this.#config, rows, validation: this.#validation(), pictures });
    writeFileSync(this.#path('report.html'), report);
  }

  #validation(): ValidationRow[] {
    return readRows(this.#path('validation.jsonl'));
  }

  #path(name: string): string {
    return join(this.#config.output, name);
  }
}

/** A row under TensorBoard's tags. */
const scalarsOf = (row: MetricsRow): Record<string, number> => ({
  'loss/total': row.loss,
  'loss/identity': row.lossId,
  'loss/g': row.lossG,
  accuracy: row.accuracy,
  lr: row.lr,
  'magnitude/mean': row.magnitudeMean,
  'magnitude/min': row.magnitudeMin,
  'magnitude/max': row.magnitudeMax,
  margin: row.marginMean,
  imagesPerSecond: row.imagesPerSecond,
  'memory/peakMiB': row.memoryPeak ?? 0,
});
