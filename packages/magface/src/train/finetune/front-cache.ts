/**
 * Caches the frozen front's output for each view, and the starting model's features, on disk, so that a second run with other
 * settings behind the front starts at once. Files hold plain little-endian values; their names encode all dependencies.
 */
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, mkdirSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fromArray, invoke, operator, type Tensor } from '@magface/torch';
import { writeWhole } from '../../format/file-writer.ts';
import type { Samples } from '../data/samples.ts';

const viewAs = operator('aten::view.dtype');

/** @param facts - everything that the values depend on; equal facts in equal order give the same name */
export function frontName(facts: unknown): string {
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16);
}

/**
 * Detects another set of faces, another order, or an edited face: hashes names, sizes and modification times. Images in
 * packed files use those of the file.
 */
export function facesDigest(samples: Samples): string {
  const hash = createHash('sha256');
  const states = new Map<string, string>();
  for (const { path, within } of samples) {
    const state = within === undefined ? stateOf(path) : (states.get(within.file) ?? stateOf(within.file));
    if (within !== undefined) states.set(within.file, state);
    hash.update(`${path} ${state}\n`);
  }
  return hash.digest('hex');
}

/** A missing file is reported when it is read. */
function stateOf(file: string): string {
  const { size, mtimeMs } = statSync(file, { throwIfNoEntry: false }) ?? { size: -1, mtimeMs: 0 };
  return `${size} ${mtimeMs}`;
}

export class FrontCache {
  readonly #folder: string;
  readonly #name: string;

  constructor(folder: string, name: string) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    this.#name = name;
  }

  /**
   * @param into - (N, …) float16, contiguous
   * @returns whether the file of that view was complete
   */
  read(view: number, into: Tensor): boolean {
    const values = new Int16Array(into.length);
    if (!readInto(this.#path(view, 'f16'), new Uint8Array(values.buffer))) return false;
    into.copy_(invoke(viewAs, [fromArray(values, into.shape), 'float16']));
    return true;
  }

  /** @param values - (N, …) float16; may be freed at once */
  write(view: number, values: Tensor): Promise<void> {
    const bits = invoke(viewAs, [values.contiguous(), 'int16']).toArray();
    return writeWhole(this.#path(view, 'f16'), new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength));
  }

  /** The starting model's features of a view. @param length - N·D @returns undefined if they are not cached */
  readFeatures(view: number, length: number): Float32Array | undefined {
    const values = new Float32Array(length);
    return readInto(this.#path(view, 'start'), new Uint8Array(values.buffer)) ? values : undefined;
  }

  writeFeatures(view: number, values: Float32Array): Promise<void> {
    return writeWhole(this.#path(view, 'start'), new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }

  #path(view: number, kind: 'f16' | 'start'): string {
    return join(this.#folder, `front-${this.#name}-view${view}.${kind}`);
  }
}

/** A system call transfers at most 2 GiB. */
const blockBytes = 2 ** 28;

/** @returns whether a file of exactly that size exists */
function readInto(path: string, bytes: Uint8Array): boolean {
  const file = openIfThere(path);
  if (file === undefined) return false;
  try {
    if (fstatSync(file).size !== bytes.length) return false;
    for (let at = 0; at < bytes.length; ) at += readSync(file, bytes, at, Math.min(blockBytes, bytes.length - at), at);
    return true;
  } finally {
    closeSync(file);
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch {
    return undefined;
  }
}
