/**
 * Writes a run's records into its folder: metrics, events for TensorBoard, validation, pictures, the report. Files are
 * appended to or replaced atomically, so that a kill loses nothing.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from '../../format/file-writer.ts';
import type { Sample } from '../data/samples.ts';
import type { StepResult } from '../loop/learner.ts';
import type { ValidationRow } from '../loop/validate.ts';
import type { TrainConfig } from '../settings/config.ts';
import { forgetAfter, type MetricsRow, readMetrics, readRows, rowsText } from './metrics.ts';
import { PictureBook, type Pictures, readPictures, writePictures } from './pictures.ts';
import { metricScalars, validationScalars } from './run-scalars.ts';
import { EventFile } from './tensorboard.ts';
import { trainReport } from './train-report.ts';

export class RunRecords {
  readonly #config: TrainConfig;
  readonly #pictures: PictureBook;
  readonly #events: EventFile;

  private constructor(config: TrainConfig, epoch: number, pictures: Pictures | undefined) {
    this.#config = config;
    this.#events = new EventFile(config.output);
    this.#pictures = new PictureBook(pictures, epoch);
  }

  /** @param samples - images that a resumed run has seen; removes rows after them */
  static async open(
    config: TrainConfig,
    { epoch, samples }: { readonly epoch: number; readonly samples: number },
  ): Promise<RunRecords> {
    await forgetAfter(join(config.output, 'metrics.jsonl'), samples);
    return new RunRecords(
      config,
      epoch,
      samples === 0 ? undefined : readPictures(join(config.output, 'pictures.json')),
    );
  }

  addStep(epoch: number, result: StepResult, samples: readonly Sample[]): void {
    this.#pictures.add(epoch, result, samples);
  }

  addRow(row: MetricsRow): void {
    appendFileSync(this.#path('metrics.jsonl'), rowsText([row]));
    this.#events.add(row.step, metricScalars(row));
  }

  /** @returns whether it is the best so far */
  async addValidation(row: ValidationRow, done: number): Promise<boolean> {
    const before = this.#validation().filter(({ epoch }) => epoch < row.epoch);
    await writeWhole(this.#path('validation.jsonl'), Buffer.from(rowsText([...before, row])));
    this.#events.add(done, validationScalars(row));
    return before.every(({ accuracy }) => accuracy < row.accuracy);
  }

  /** Rewrites `report.html`. */
  async writeReport(): Promise<void> {
    const { pictures } = this.#pictures;
    await writePictures(this.#path('pictures.json'), pictures);
    const rows = readMetrics(this.#path('metrics.jsonl'));
    const report = trainReport({ config: this.#config, rows, validation: this.#validation(), pictures });
    await writeWhole(this.#path('report.html'), Buffer.from(report));
  }

  #validation(): ValidationRow[] {
    return readRows(this.#path('validation.jsonl'));
  }

  #path(name: string): string {
    return join(this.#config.output, name);
  }
}
