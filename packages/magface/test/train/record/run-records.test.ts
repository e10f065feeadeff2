import { linkSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type MetricsRow, MetricsWindow, readMetrics } from '../../../src/train/record/metrics.ts';
import { RunRecords } from '../../../src/train/record/run-records.ts';
import { parseTrainConfig, type TrainConfig } from '../../../src/train/settings/config.ts';
import { temporaryFolder } from '../small-set.ts';

const configOf = (): TrainConfig => parseTrainConfig({ trainList: 'faces', output: temporaryFolder() });
const rowOf = (step: number, samples: number): MetricsRow => ({
  ...new MetricsWindow({ steps: 1, sums: [1, 1, 1, 1, 1, 1], magnitudeMin: 1, magnitudeMax: 1 }).take(),
  ...{ epoch: 0, step, samples, lr: 1, skipped: 0, imagesPerSecond: 1, secondsLeft: 1 },
});
const validationOf = (epoch: number) => ({
  epoch,
  accuracy: epoch / 10,
  accuracyStd: 0,
  auc: 1,
  tarAtFar: {},
  rejectFnmr: [],
});

test('keeps rows by images seen, not by step numbers, because a smaller batch has other steps', async () => {
  const config = configOf();
  const metrics = join(config.output, 'metrics.jsonl');
  const first = await RunRecords.open(config, { epoch: 0, samples: 0 });
  for (let step = 1; step <= 10; step++) first.addRow(rowOf(step, 4 * step));
  const second = await RunRecords.open(config, { epoch: 0, samples: 40 }); // a batch of 8 from here: 5 of its steps
  second.addRow(rowOf(6, 48));
  second.addRow(rowOf(7, 56));
  expect(readMetrics(metrics).map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 6, 7]);
  await RunRecords.open(config, { epoch: 0, samples: 48 });
  expect(readMetrics(metrics).at(-1)).toMatchObject({ step: 6, samples: 48 });
  expect(readMetrics(metrics)).toHaveLength(11);
});

test('replaces files of rows, pictures and the report only when complete', async () => {
  const config = configOf();
  const names = ['metrics.jsonl', 'validation.jsonl', 'report.html', 'pictures.json'];
  const at = (name: string): string => join(config.output, name);
  const records = await RunRecords.open(config, { epoch: 0, samples: 0 });
  records.addRow(rowOf(1, 4));
  expect(await records.addValidation(validationOf(1), 1)).toBe(true);
  await records.writeReport();
  for (const name of names) linkSync(at(name), at(`${name}.before`));
  const before = names.map((name) => readFileSync(at(name), 'utf8'));

  const resumed = await RunRecords.open(config, { epoch: 0, samples: 0 });
  resumed.addRow(rowOf(2, 8));
  expect(await resumed.addValidation({ ...validationOf(2), accuracy: 0.01 }, 1)).toBe(false);
  await resumed.writeReport();
  expect(names.map((name) => readFileSync(at(`${name}.before`), 'utf8'))).toEqual(before);
  expect(readFileSync(at('validation.jsonl'), 'utf8').split('\n')).toHaveLength(3);
});

test('removes a truncated last row on resume', async () => {
  const config = configOf();
  const metrics = join(config.output, 'metrics.jsonl');
  writeFileSync(metrics, `${JSON.stringify(rowOf(1, 4))}\n{"epoch":0,"st`);
  const records = await RunRecords.open(config, { epoch: 0, samples: 4 });
  records.addRow(rowOf(2, 8));
  expect(readMetrics(metrics).map(({ step }) => step)).toEqual([1, 2]);
});
