/** A trainer's metrics: aggregates steps into rows of `metrics.jsonl`. */
import { existsSync, readFileSync } from 'node:fs';
import { writeWhole } from '../../format/file-writer.ts';
import type { StepResult } from '../loop/learner.ts';
import type { MemoryFigures } from './memory-use.ts';

/** A row: means over the steps since the previous row, extremes of the magnitudes, and memory (not in old rows). */
export interface MetricsRow extends Partial<MemoryFigures> {
  /** From 0. */
  readonly epoch: number;
  /** Total steps done. */
  readonly step: number;
  /** Total images seen. */
  readonly samples: number;
  readonly loss: number;
  readonly lossId: number;
  readonly lossG: number;
  /** The terms of the teacher; only with one. */
  readonly lossTeacher?: number;
  readonly accuracy: number;
  readonly lr: number;
  readonly magnitudeMean: number;
  readonly magnitudeMin: number;
  readonly magnitudeMax: number;
  readonly marginMean: number;
  /** Steps skipped since the run began because a value was not finite. */
  readonly skipped: number;
  readonly imagesPerSecond: number;
  /** Estimated time to the end of the run. */
  readonly secondsLeft: number;
}

/** The order of the sums in a checkpoint; old ones lack the last. */
const means = ['loss', 'lossId', 'lossG', 'accuracy', 'magnitudeMean', 'marginMean', 'lossTeacher'] as const;

/** Sums stored in a checkpoint, so that a resumed run writes the same rows as an uninterrupted one. */
export interface WindowState {
  readonly steps: number;
  readonly sums: readonly number[];
  readonly magnitudeMin: number;
  readonly magnitudeMax: number;
}

const empty: WindowState = { steps: 0, sums: means.map(() => 0), magnitudeMin: Number.MAX_VALUE, magnitudeMax: 0 };

/** Aggregates the steps between two rows. */
export class MetricsWindow {
  #state: WindowState;

  constructor(state: WindowState = empty) {
    this.#state = state;
  }

  get state(): WindowState {
    return this.#state;
  }

  add(result: StepResult): void {
    const { steps, sums, magnitudeMin, magnitudeMax } = this.#state;
    this.#state = {
      steps: steps + 1,
      sums: means.map((name, i) => (sums[i] ?? 0) + (result[name] ?? 0)),
      magnitudeMin: Math.min(magnitudeMin, result.magnitudeMin),
      magnitudeMax: Math.max(magnitudeMax, result.magnitudeMax),
    };
  }

  /** Returns the means so far, and resets them. */
  take(): Pick<MetricsRow, (typeof means)[number] | 'magnitudeMin' | 'magnitudeMax'> {
    const { steps, sums, magnitudeMin, magnitudeMax } = this.#state;
    const mean = (name: (typeof means)[number]): number => (sums[means.indexOf(name)] ?? 0) / steps;
    const lossTeacher = mean('lossTeacher');
    this.#state = empty;
    return {
      loss: mean('loss'),
      lossId: mean('lossId'),
      lossG: mean('lossG'),
      ...(lossTeacher !== 0 && { lossTeacher }),
      accuracy: mean('accuracy'),
      magnitudeMean: mean('magnitudeMean'),
      magnitudeMin,
      magnitudeMax,
      marginMean: mean('marginMean'),
    };
  }
}

/** @returns the rows of a `.jsonl` file, empty without a file; a last line truncated by a kill is skipped */
export function readRows<Row>(file: string): Row[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Row);
}

/** @returns the rows of `metrics.jsonl`. */
export function readMetrics(file: string): MetricsRow[] {
  return readRows(file);
}

/** @returns the text of a `.jsonl` file */
export const rowsText = (rows: readonly unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/**
 * Removes the rows of steps that a resumed run will repeat. Compares images seen, since another batch size changes the
 * meaning of step numbers.
 */
export async function forgetAfter(file: string, samples: number): Promise<void> {
  const kept = readMetrics(file).filter((row) => row.samples <= samples);
  await writeWhole(file, Buffer.from(rowsText(kept)));
}
