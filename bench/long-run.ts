/**
 * What a training of hours leaves: `npx tsx -C magface:source bench/long-run.ts RUN_FOLDER SAMPLES`. RUN_FOLDER is the
 * `--output` of `magface train`; SAMPLES has a line a minute, "seconds since 1970, resident
 * KiB, processor seconds" of its process, from any moment on.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCheckpoint } from '../packages/magface/src/train/checkpoint-file.ts';
import type { TrainConfig } from '../packages/magface/src/train/config.ts';
import type { MetricsRow } from '../packages/magface/src/train/metrics.ts';
import { writeResult } from './support/result.ts';

const [folder, samples] = process.argv.slice(2);
if (folder === undefined || samples === undefined) throw new Error('Expected a run folder and a file of samples.');
const linesOf = (file: string): string[] => readFileSync(file, 'utf8').trim().split('\n');
const rows = linesOf(join(folder, 'metrics.jsonl')).map((line) => JSON.parse(line) as MetricsRow);
const resident = linesOf(samples).map((line) => Math.round(Number(line.split(' ')[1]) / 1024));
const checkpoint = readdirSync(folder)
  .filter((file) => /^\d{5}(-\d+)?\.safetensors$/.test(file))
  .sort()
  .at(-1);
if (checkpoint === undefined) throw new Error(`Expected a checkpoint in ${folder} but there is none.`);
const { state } = (await readCheckpoint(join(folder, checkpoint))) as {
  readonly state: { readonly config: TrainConfig };
};
const events = readdirSync(folder).find((file) => file.startsWith('events.'))!;
const began = Number(/tfevents\.(\d+)/.exec(events)![1]);
const { arch, batchSize, precision } = state.config;
writeResult('long-run', {
  ...{ arch, batchSize, precision },
  minutes: Math.round((Number(linesOf(samples).at(-1)!.split(' ')[0]) - began) / 60),
  processorMinutes: Math.round(Number(linesOf(samples).at(-1)!.split(' ')[2]) / 60),
  stepsToTheLastRow: rows.at(-1)!.step,
  skipped: rows.at(-1)!.skipped,
  newestCheckpoint: checkpoint,
  memoryKeptMiB: { first: rows[0]!.memoryKept, last: rows.at(-1)!.memoryKept },
  residentMiB: { first: resident[0], last: resident.at(-1), most: Math.max(...resident), samples: resident.length },
  loss: { first: rows[0]!.loss, last: rows.at(-1)!.loss },
});
