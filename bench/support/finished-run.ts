/** Reads the results of a `magface train` run from its folder. */
import { join } from 'node:path';
import { listCheckpoints, readCheckpoint } from '../../packages/magface/src/train/loop/checkpoint-file.ts';
import type { ValidationRow } from '../../packages/magface/src/train/loop/validate.ts';
import { type MetricsRow, readMetrics, readRows } from '../../packages/magface/src/train/record/metrics.ts';
import type { TrainConfig } from '../../packages/magface/src/train/settings/config.ts';

export interface FinishedRun {
  /** Path of the newest checkpoint. */
  readonly checkpoint: string;
  readonly config: TrainConfig;
  readonly metrics: readonly MetricsRow[];
  readonly validation: readonly ValidationRow[];
}

/** @throws {Error} if there is no checkpoint */
export async function finishedRun(folder: string): Promise<FinishedRun> {
  const [checkpoint] = listCheckpoints(folder);
  if (checkpoint === undefined) throw new Error(`Expected a run in ${folder} but it has no checkpoint.`);
  const { config } = (await readCheckpoint(checkpoint)).state as { readonly config: TrainConfig };
  const metrics = readMetrics(join(folder, 'metrics.jsonl'));
  return { checkpoint, config, metrics, validation: readRows<ValidationRow>(join(folder, 'validation.jsonl')) };
}
