/**
 * Writes a run as W&B's own client writes one that is offline: a folder for `wandb sync` with a `.wandb` file, which is a
 * LevelDB log (blocks of 32 KiB; records with a checksum, cut at the end of a block) of protocol buffers. Field numbers are
 * those of wandb_internal.proto.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { crc32 } from '../../format/crc32.ts';
import { writeWhole } from '../../format/file-writer.ts';
import type { RecordedRun } from './recorded-run.ts';

const [blockBytes, headBytes] = [32768, 7];
/** How a piece relates to its record. */
const [whole, first, middle, last] = [1, 2, 3, 4];

/**
 * Replaces an earlier export of the run.
 *
 * @param folder - receives `offline-run-DATE-ID`; made if it does not exist
 * @param project - name of the project in W&B
 * @returns the run's folder
 */
export async function writeWandbRun(run: RecordedRun, folder: string, project: string): Promise<string> {
  const id = run.id.slice(0, 8);
  const target = join(folder, `offline-run-${stamp(run.started)}-${id}`);
  await mkdir(join(target, 'files'), { recursive: true });
  await writeWhole(join(target, `run-${id}.wandb`), transactionLog([...recordsOf(run, id, project)]));
  return target;
}

/** `20261130_041658`, in UTC. */
const stamp = (time: number): string =>
  new Date(time).toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '_');

/** Records of a run in order: the log's version, the run with its settings, a row per step, its end. */
function* recordsOf(run: RecordedRun, id: string, project: string): Generator<Uint8Array> {
  let number = 0;
  const record = (field: number, body: BinaryWriter): Uint8Array =>
    new BinaryWriter().tag(1, 0).int64(++number).tag(field, 2).bytes(body.finish()).finish();

  const version = new BinaryWriter().tag(1, 2).string('0.30.0').tag(2, 2).string('0.12.0'); // producer, least reader
  yield record(21, new BinaryWriter().tag(1, 2).bytes(version.finish()));
  yield record(17, runRecord(run, id, project));
  let summary: Readonly<Record<string, number>> = {};
  for (const { step, time, scalars } of run.points) {
    const runtime = (time - run.started) / 1000;
    const row = { ...scalars, _step: step, _timestamp: time / 1000, _runtime: runtime };
    yield record(2, items(1, row).tag(2, 2).bytes(new BinaryWriter().tag(1, 0).int64(step).finish()));
    summary = { ...summary, ...row };
  }
  yield record(3, items(1, summary));
  if (run.isRunning) return;
  const seconds = Math.round((run.ended - run.started) / 1000);
  yield record(18, new BinaryWriter().tag(1, 0).int32(0).tag(2, 0).int32(seconds)); // exit code, runtime
}

function runRecord(run: RecordedRun, id: string, project: string): BinaryWriter {
  const config = items(1, run.settings).finish();
  const seconds = Math.floor(run.started / 1000);
  const started = new BinaryWriter()
    .tag(1, 0)
    .int64(seconds)
    .tag(2, 0)
    .int32((run.started % 1000) * 1e6);
  return new BinaryWriter()
    .tag(1, 2)
    .string(id)
    .tag(3, 2)
    .string(project)
    .tag(4, 2)
    .bytes(config)
    .tag(8, 2)
    .string(run.name)
    .tag(17, 2)
    .bytes(started.finish());
}

/** Pairs of a key and its value as JSON, each in a field of the given number. */
function items(field: number, values: Readonly<Record<string, unknown>>): BinaryWriter {
  const writer = new BinaryWriter();
  for (const [key, value] of Object.entries(values))
    writer.tag(field, 2).fork().tag(1, 2).string(key).tag(16, 2).string(jsonOf(value)).join();
  return writer;
}

/** W&B writes Python's JSON, which has names for what JSON lacks. */
const jsonOf = (value: unknown): string =>
  typeof value !== 'number' || Number.isFinite(value)
    ? JSON.stringify(value)
    : Number.isNaN(value)
      ? 'NaN'
      : `${value < 0 ? '-' : ''}Infinity`;

/** @returns the bytes of a `.wandb` file */
export function transactionLog(records: readonly Uint8Array[]): Buffer {
  const parts: Buffer[] = [Buffer.from([...Buffer.from(':W&B'), 0xe1, 0xbe, 0])];
  let at = parts[0]!.length;
  const add = (part: Buffer): void => {
    parts.push(part);
    at += part.length;
  };
  for (const record of records) {
    for (let done = 0, isFirst = true; isFirst || done < record.length; isFirst = false) {
      const room = blockBytes - (at % blockBytes);
      if (room < headBytes) add(Buffer.alloc(room));
      const left = blockBytes - (at % blockBytes) - headBytes;
      const piece = record.subarray(done, done + left);
      done += piece.length;
      const isLast = done === record.length;
      add(logRecord(piece, isFirst ? (isLast ? whole! : first!) : isLast ? last! : middle!));
    }
  }
  return Buffer.concat(parts);
}

/** The checksum covers the kind and the piece. */
function logRecord(piece: Uint8Array, kind: number): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt16LE(piece.length, 4);
  head[6] = kind;
  const bytes = Buffer.concat([head, piece]);
  bytes.writeUInt32LE(crc32(bytes.subarray(6)), 0);
  return bytes;
}
