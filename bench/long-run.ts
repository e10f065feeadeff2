/**
 * Evaluates a training run of several hours: `npx tsx -C magface:source bench/long-run.ts RUN_FOLDER SAMPLES`. RUN_FOLDER is
 * the `--output` of `magface train`. SAMPLES has one line per minute for its process: "seconds since 1970, resident KiB, CPU
 * seconds"; it may start at any time.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { finishedRun } from './support/finished-run.ts';
import { writeResult } from './support/result.ts';

const [folder, file] = process.argv.slice(2);
if (folder === undefined || file === undefined) throw new Error('Expected a run folder and a file of samples.');
const { checkpoint, config, metrics } = await finishedRun(folder);
const samples = readFileSync(file, 'utf8').trim().split('\n');
const [ended = 0, , processorSeconds = 0] = samples.at(-1)!.split(' ').map(Number);
const resident = samples.map((line) => Math.round(Number(line.split(' ')[1]) / 1024));
const events = readdirSync(folder).find((name) => name.startsWith('events.'))!;
const began = Number(/tfevents\.(\d+)/.exec(events)![1]);
const [first, last] = [metrics[0]!, metrics.at(-1)!];
const { arch, batchSize, precision } = config;
writeResult('long-run', {
  ...{ arch, batchSize, precision },
  minutes: Math.round((ended - began) / 60),
  processorMinutes: Math.round(processorSeconds / 60),
  stepsToTheLastRow: last.step,
  skipped: last.skipped,
  newestCheckpoint: basename(checkpoint),
  memoryKeptMiB: { first: first.memoryKept, last: last.memoryKept },
  residentMiB: { first: resident[0], last: resident.at(-1), most: Math.max(...resident), samples: resident.length },
  loss: { first: first.loss, last: last.loss },
});
