/**
 * What the frozen front makes of each view, on disk: a second run with other settings behind the front begins at once. One
 * file a view, (N, …) float16 little-endian, named by all that its values depend on.
 */
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, mkdirSync, openSync, readSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fromArray, invoke, operator, type Tensor } from '@magface/torch';

const viewAs = operator('aten::view.dtype');

/** @param facts - all that the values depend on; the same facts in the same order give the same name */
export function frontName(facts: unknown): string {
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16);
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
   * @returns whether there was a whole file of that view
   */
  read(view: number, into: Tensor): boolean {
    const file = openIfThere(this.#path(view));
    if (file === undefined) return false;
    try {
      const values = new Int16Array(into.length);
      const bytes = new Uint8Array(values.buffer);
      if (fstatSync(file).size !== bytes.length) return false;
      for (let at = 0; at < bytes.length; )
        at += readSync(file, bytes, at, Math.min(blockBytes, bytes.length - at), at);
      into.copy_(invoke(viewAs, [fromArray(values, into.shape), 'float16']));
      return true;
    } finally {
      closeSync(file);
    }
  }

  /** Written under another name first, so that a run that is stopped leaves no half of one. */
  write(view: number, values: Tensor): void {
    const path = this.#path(view);
    const file = openSync(`${path}.part`, 'w');
    try {
      const bits = invoke(viewAs, [values.contiguous(), 'int16']).toArray();
      const bytes = new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength);
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, Math.min(blockBytes, bytes.length - at));
    } finally {
      closeSync(file);
    }
    renameSync(`${path}.part`, path);
  }

  #path(view: number): string {
    return join(this.#folder, `front-${this.#name}-view${view}.f16`);
  }
}

/** No system call takes more than 2 GiB. */
const blockBytes = 2 ** 28;

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch {
    return undefined;
  }
}
