import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { crc32 } from '../../../src/format/crc32.ts';
import { writeCheckpoint } from '../../../src/train/loop/checkpoint-file.ts';
import { rowsText } from '../../../src/train/record/metrics.ts';
import { writeMlflowRun } from '../../../src/train/record/mlflow-store.ts';
import { type RecordedRun, readRecordedRun } from '../../../src/train/record/recorded-run.ts';
import { transactionLog, writeWandbRun } from '../../../src/train/record/wandb-file.ts';
import { temporaryFolder } from '../small-set.ts';

const rowOf = (epoch: number, step: number) => ({
  ...{ epoch, step, samples: 40 * step, loss: 3 / step, lossId: 2, lossG: 1, accuracy: 0.5, lr: 0.1, marginMean: 0.4 },
  ...{ magnitudeMean: 20, magnitudeMin: 10, magnitudeMax: 30, skipped: 0, imagesPerSecond: 20, secondsLeft: 0 },
});

/** Two rows of two seconds each, and a validation after the first epoch. */
async function finishedRun(): Promise<string> {
  const folder = join(temporaryFolder(), 'first run');
  mkdirSync(folder);
  writeFileSync(join(folder, 'metrics.jsonl'), rowsText([rowOf(0, 1), rowOf(1, 2)]));
  writeFileSync(join(folder, 'validation.jsonl'), rowsText([{ epoch: 1, accuracy: 0.9, auc: 0.95 }]));
  utimesSync(join(folder, 'metrics.jsonl'), 1_700_000_004, 1_700_000_004);
  const state = { config: { arch: 'iresnet18', trainList: ['a', 'b'], lr: 0.1 } };
  await writeCheckpoint(join(folder, '00001-0000000.safetensors'), { tensors: new Map(), state });
  return folder;
}

test('a run is read with times counted back from its last row', async () => {
  const run = await readRecordedRun(await finishedRun());
  expect(run).toMatchObject({ name: 'first run', started: 1_700_000_000_000, ended: 1_700_000_004_000 });
  expect(run.points.map(({ step, time }) => [step, time])).toEqual([
    [1, 1_700_000_002_000],
    [2, 1_700_000_004_000],
  ]);
  expect(run.points[0]!.scalars).toMatchObject({ 'loss/total': 3, 'validation/accuracy': 0.9 });
  expect(run.points[1]!.scalars).not.toHaveProperty('validation/accuracy');
  expect(run.settings).toMatchObject({ arch: 'iresnet18' });
  expect(run.isRunning).toBe(false);
});

test('a folder without rows is no run', async () => {
  await expect(readRecordedRun(temporaryFolder())).rejects.toMatchObject({ name: 'ConfigError', key: 'run' });
});

test('MLflow’s store has a file per metric, parameter and tag, and one run however often it is exported', async () => {
  const store = join(temporaryFolder(), 'mlruns');
  const run = await readRecordedRun(await finishedRun());
  const target = await writeMlflowRun(run, store, 'faces');
  expect(await writeMlflowRun(run, store, 'faces')).toBe(target);
  const read = (name: string): string => readFileSync(join(target, name), 'utf8');
  expect(read('metrics/loss/total')).toBe('1700000002000 3 1\n1700000004000 1.5 2\n');
  expect(read('metrics/validation/auc')).toBe('1700000002000 0.95 1\n');
  expect(read('params/arch')).toBe('iresnet18');
  expect(read('params/trainList')).toBe('["a","b"]');
  expect(read('tags/mlflow.runName')).toBe('first run');
  const [experiment] = readdirSync(store);
  expect(readdirSync(store)).toHaveLength(1);
  expect(readdirSync(join(store, experiment!)).sort()).toEqual([run.id, 'meta.yaml'].sort());
  const meta = parse(read('meta.yaml')) as Record<string, unknown>;
  expect(meta).toMatchObject({
    run_id: run.id,
    run_uuid: run.id,
    experiment_id: experiment,
    status: 3,
    source_type: 4,
  });
  expect(String(meta['artifact_uri'])).toMatch(/^file:\/\/.*first|artifacts$/);
  expect(statSync(join(target, 'artifacts')).isDirectory()).toBe(true);
});

test('a run that still trains has no end', async () => {
  const folder = await finishedRun();
  writeFileSync(join(folder, 'lock-1'), '');
  const target = await writeMlflowRun(await readRecordedRun(folder), join(folder, 'mlruns'), 'faces');
  expect(parse(readFileSync(join(target, 'meta.yaml'), 'utf8'))).toMatchObject({ status: 1, end_time: null });
});

/** Reads a LevelDB log and checks every checksum. */
function recordsOf(bytes: Buffer): Buffer[] {
  expect(bytes.subarray(0, 7)).toEqual(Buffer.from([0x3a, 0x57, 0x26, 0x42, 0xe1, 0xbe, 0]));
  const records: Buffer[] = [];
  let pieces: Buffer[] = [];
  for (let at = 7; at < bytes.length; ) {
    const room = 32768 - (at % 32768);
    if (room < 7) at += room;
    const [length, kind] = [bytes.readUInt16LE(at + 4), bytes[at + 6]!];
    const piece = bytes.subarray(at + 7, at + 7 + length);
    expect(bytes.readUInt32LE(at)).toBe(crc32(Buffer.concat([Buffer.from([kind]), piece])));
    pieces.push(piece);
    if (kind === 1 || kind === 4) records.push(Buffer.concat(pieces));
    if (kind === 1 || kind === 4) pieces = [];
    at += 7 + length;
  }
  expect(pieces).toEqual([]);
  return records;
}

test('records are cut at the ends of blocks, also where a head has no room', () => {
  const lengths = [0, 10, 40_000, 32768 * 2 + 5, 1, ...Array.from({ length: 30 }, (_, i) => 32_700 + i)];
  const records = lengths.map((length, i) => Buffer.alloc(length, i + 1));
  const read = recordsOf(transactionLog(records));
  expect(read.map(({ length }) => length)).toEqual(lengths);
  expect(read.every((record, i) => record.equals(records[i]!))).toBe(true); // toEqual takes seconds
});

/** The fields of a message by number; nested ones as bytes. */
function fieldsOf(bytes: Uint8Array): Map<number, (bigint | Uint8Array)[]> {
  const reader = new BinaryReader(bytes);
  const fields = new Map<number, (bigint | Uint8Array)[]>();
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    const value = wire === 2 ? reader.bytes() : BigInt(reader.int64());
    fields.set(number, [...(fields.get(number) ?? []), value]);
  }
  return fields;
}

const pairsOf = (message: Uint8Array, field = 1): Record<string, unknown> =>
  Object.fromEntries(
    (fieldsOf(message).get(field) ?? []).map((item) => {
      const pair = fieldsOf(item as Uint8Array);
      const text = (number: number): string => Buffer.from(pair.get(number)![0] as Uint8Array).toString();
      return [text(1), JSON.parse(text(16))];
    }),
  );

test('a .wandb file has the version, the run, its rows, the summary and the end', async () => {
  const run: RecordedRun = await readRecordedRun(await finishedRun());
  const target = await writeWandbRun(run, join(temporaryFolder(), 'wandb'), 'faces');
  const id = run.id.slice(0, 8);
  expect(target).toMatch(new RegExp(`offline-run-20231114_221320-${id}$`));
  const messages = recordsOf(readFileSync(join(target, `run-${id}.wandb`))).map(fieldsOf);
  expect(messages.map((message) => [...message.keys()])).toEqual([[1, 21], [1, 17], [1, 2], [1, 2], [1, 3], [1, 18]]); // biome-ignore format: pairs
  const about = fieldsOf(messages[1]!.get(17)![0] as Uint8Array);
  expect([1, 3, 8].map((field) => Buffer.from(about.get(field)![0] as Uint8Array).toString())).toEqual([id, 'faces', 'first run']); // biome-ignore format: names
  expect(pairsOf(about.get(4)![0] as Uint8Array)).toEqual({ arch: 'iresnet18', trainList: ['a', 'b'], lr: 0.1 });
  const row = pairsOf(messages[2]!.get(2)![0] as Uint8Array);
  expect(row).toMatchObject({
    'loss/total': 3,
    'validation/auc': 0.95,
    _step: 1,
    _timestamp: 1_700_000_002,
    _runtime: 2,
  });
  const summary = pairsOf(messages[4]!.get(3)![0] as Uint8Array);
  expect(summary).toMatchObject({ 'loss/total': 1.5, 'validation/auc': 0.95, _step: 2 });
});
