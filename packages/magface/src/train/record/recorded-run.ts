/** Reads what a run left in its folder, for trackers of experiments. */
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { ConfigError } from '../../errors.ts';
import { listCheckpoints, readCheckpointState } from '../loop/checkpoint-file.ts';
import type { ValidationRow } from '../loop/validate.ts';
import { type MetricsRow, readMetrics, readRows } from './metrics.ts';
import { metricScalars, type Scalars, validationScalars } from './run-scalars.ts';

/** Figures of one step. */
export interface RecordedPoint {
  readonly step: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly scalars: Scalars;
}

/** A run as trackers store it. */
export interface RecordedRun {
  /** 32 hexadecimal digits, the same for the same folder, so that a second export replaces the first. */
  readonly id: string;
  /** The folder's name. */
  readonly name: string;
  /** Settings of the newest checkpoint; empty before the first. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** By step; the figures of a validation are at its epoch's last row. */
  readonly points: readonly RecordedPoint[];
  /** Milliseconds since 1970. */
  readonly started: number;
  readonly ended: number;
  /** Whether a process holds the folder's lock. */
  readonly isRunning: boolean;
}

/**
 * Rows have no time, so it is counted back from the last change of `metrics.jsonl` by images and images per second. A run
 * that was interrupted seems to have had no pause.
 *
 * @param folder - the `--output` of `magface train`
 * @throws {ConfigError} if it has no rows
 */
export async function readRecordedRun(folder: string): Promise<RecordedRun> {
  const file = join(folder, 'metrics.jsonl');
  const rows = readMetrics(file);
  if (rows.length === 0)
    throw new ConfigError('run', {
      expected: 'a folder of magface train with rows in metrics.jsonl',
      received: folder,
      remedy: 'pass the --output of a run, after its first row',
    });
  const path = resolve(folder);
  const ended = Math.round(statSync(file).mtimeMs);
  const { started, times } = timesOf(rows, ended);
  const points = rows.map((row, i) => ({ step: row.step, time: times[i]!, scalars: metricScalars(row) }));
  for (const row of readRows<ValidationRow>(join(folder, 'validation.jsonl'))) {
    const last = rows.findLastIndex(({ epoch }) => epoch < row.epoch);
    const point = points[last];
    if (point !== undefined) points[last] = { ...point, scalars: { ...point.scalars, ...validationScalars(row) } };
  }
  const [newest] = listCheckpoints(folder);
  const state = newest === undefined ? {} : await readCheckpointState(newest);
  return {
    id: createHash('sha256').update(path).digest('hex').slice(0, 32),
    name: basename(path),
    settings: (state as { readonly config?: Readonly<Record<string, unknown>> }).config ?? {},
    ...{ points, started, ended },
    isRunning: readdirSync(folder).some((name) => name.startsWith('lock-')),
  };
}

function timesOf(rows: readonly MetricsRow[], ended: number): { started: number; times: number[] } {
  let time = ended;
  const times = rows.map(() => 0);
  for (let i = rows.length - 1; i >= 0; i--) {
    times[i] = Math.round(time);
    const { samples, imagesPerSecond } = rows[i]!;
    time -= (1000 * (samples - (rows[i - 1]?.samples ?? 0))) / imagesPerSecond;
  }
  return { started: Math.round(time), times };
}
