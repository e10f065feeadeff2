/**
 * Checkpoints on disk: one `.safetensors` with everything that resuming needs. Written under a temporary name, synced and
 * renamed, so that a kill leaves the one before it; a digest over all values finds every cut and every flipped bit.
 */
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FormatError } from '../errors.ts';

/** A tensor's values, little-endian as on every machine that Node runs on. */
export interface StoredTensor {
  readonly dtype: 'F32' | 'I64' | 'U8';
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array | Uint8Array;
}

/** What a checkpoint file holds. */
export interface CheckpointContent {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** JSON under the metadata key `magface.checkpoint`. */
  readonly state: unknown;
}

const stateKey = 'magface.checkpoint';
const digestKey = 'magface.digest';

interface Header {
  readonly __metadata__?: Record<string, string>;
  readonly [name: string]: unknown;
}
interface HeaderEntry {
  readonly dtype: StoredTensor['dtype'];
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

const bytesOf = ({ data }: StoredTensor): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

function digestOf(tensors: ReadonlyMap<string, StoredTensor>, state: string): string {
  const hash = createHash('sha256').update(state);
  for (const [name, tensor] of tensors)
    hash.update(`\n${name} ${tensor.dtype} ${tensor.shape}\n`).update(bytesOf(tensor));
  return hash.digest('hex');
}

/** Writes a checkpoint; on return it is on the disk under its name, whole. */
export function writeCheckpoint(file: string, { tensors, state }: CheckpointContent): void {
  const text = JSON.stringify(state);
  const header: Record<string, unknown> = {
    __metadata__: { format: 'pt', [stateKey]: text, [digestKey]: digestOf(tensors, text) },
  };
  let offset = 0;
  for (const [name, tensor] of tensors) {
    const end = offset + tensor.data.byteLength;
    header[name] = { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));

  const temporary = `${file}.part`;
  const descriptor = openSync(temporary, 'w');
  try {
    for (const part of [length, padded, ...[...tensors.values()].map(bytesOf)]) writeFully(descriptor, part);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, file);
  syncFolder(dirname(file));
}

function writeFully(descriptor: number, part: Uint8Array): void {
  for (let at = 0; at < part.length; ) at += writeSync(descriptor, part, at);
}

function syncFolder(folder: string): void {
  if (process.platform === 'win32') return; // folders cannot be synced there
  const descriptor = openSync(folder, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
}

/**
 * @throws {FormatError} naming the file, when it is cut short, altered or no checkpoint of ours
 */
export function readCheckpoint(file: string): CheckpointContent {
  const { tensors, metadata } = readTensors(file);
  const text = metadata[stateKey];
  const digest = metadata[digestKey];
  if (text === undefined || digest === undefined) {
    throw new FormatError(file, `Expected a checkpoint of magface train but its metadata have no ${stateKey}.`);
  }
  if (digestOf(tensors, text) === digest) return { tensors, state: JSON.parse(text) };
  throw new FormatError(
    file,
    'Expected the values that were written but at least one byte differs: use another checkpoint.',
  );
}

/** The tensors of any `.safetensors` whose types are among {@link StoredTensor}'s. */
export function readTensors(file: string): {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
} {
  const bytes = readFileSync(file);
  const header = headerOf(file, bytes);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const tensors = new Map<string, StoredTensor>();
  for (const [name, value] of Object.entries(header)) {
    if (name !== '__metadata__') tensors.set(name, tensorOf(file, name, value as HeaderEntry, bytes.subarray(start)));
  }
  return { tensors, metadata: header.__metadata__ ?? {} };
}

function headerOf(file: string, bytes: Buffer): Header {
  const length = bytes.length < 8 ? 0 : Number(bytes.readBigUInt64LE(0));
  if (length === 0 || 8 + length > bytes.length) {
    throw new FormatError(
      file,
      `Expected a whole checkpoint but the file ends after ${bytes.length} bytes: use another one.`,
    );
  }
  try {
    return JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Header;
  } catch (cause) {
    throw new FormatError(file, 'Expected a header in JSON but it is damaged: use another checkpoint.', {
      cause,
      offset: 8,
    });
  }
}

function tensorOf(file: string, name: string, entry: HeaderEntry, data: Buffer): StoredTensor {
  const [from = 0, to = 0] = entry.data_offsets ?? [];
  const size = { F32: 4, I64: 8, U8: 1 }[entry.dtype];
  const count = (entry.shape ?? []).reduce((product, n) => product * n, 1);
  if (to > data.length || size === undefined || to - from !== count * size) {
    throw new FormatError(
      file,
      `Expected ${name} within the file but its bytes ${from} to ${to} are not all there: use another checkpoint.`,
    );
  }
  const copy = Uint8Array.from(data.subarray(from, to)).buffer; // aligned, and free of the file's buffer
  const values = {
    F32: () => new Float32Array(copy),
    I64: () => new BigInt64Array(copy),
    U8: () => new Uint8Array(copy),
  };
  return { dtype: entry.dtype, shape: entry.shape, data: values[entry.dtype]() };
}

/** `EPOCHS-STEPS.safetensors`: whole epochs done, and steps into the next. */
export function checkpointName(epoch: number, step: number): string {
  return `${String(epoch).padStart(5, '0')}-${String(step).padStart(7, '0')}.safetensors`;
}

/** @returns the checkpoints of a folder, newest first. */
export function listCheckpoints(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /^\d{5,}-\d{7,}\.safetensors$/.test(name))
    .sort()
    .reverse()
    .map((name) => join(folder, name));
}
