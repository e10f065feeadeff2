/**
 * Writes every format here: data are appended through one block of memory to a temporary file beside the target, synced,
 * and renamed when complete. A kill leaves the previous file in place. Each writer has its own temporary name, so if two
 * write the same path, the file of the last to finish stays, complete.
 */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { ConfigError } from '../errors.ts';
import { expectFileTarget } from './write-target.ts';

const blockBytes = 1 << 20;

/** One file being written. Owns a handle: end with {@link FileWriter.commit} or {@link FileWriter.discard}. */
export class FileWriter {
  readonly path: string;
  readonly #temporary: string;
  readonly #handle: FileHandle;
  /** Whether the unfinished file outlives a failure, for a later process to go on. */
  readonly #outlives: boolean;
  #block: Buffer = Buffer.allocUnsafe(blockBytes);
  #filled = 0;
  #flushed = 0;
  #finished = false;
  #tail: Promise<void> = Promise.resolve();

  private constructor(path: string, temporary: string, handle: FileHandle, kept?: { readonly length: number }) {
    this.path = path;
    this.#temporary = temporary;
    this.#handle = handle;
    this.#outlives = kept !== undefined;
    this.#flushed = kept?.length ?? 0;
  }

  /** @throws {ConfigError} if the folder is missing, or the path is a folder */
  static async create(path: string): Promise<FileWriter> {
    await expectFileTarget(path);
    const temporary = `${path}.${randomUUID()}.part`;
    return new FileWriter(path, temporary, await open(temporary, 'wx+'));
  }

  /**
   * Goes on with an unfinished file, or starts it. It stays if the process fails.
   *
   * @param unfinished - its path until the commit; it may be the final path
   * @param length - where to go on: what follows is cut off
   * @throws {ConfigError} if the file is shorter
   */
  static async resume(path: string, unfinished: string, length: number): Promise<FileWriter> {
    await expectFileTarget(path);
    const handle = await open(unfinished, constants.O_RDWR | constants.O_CREAT);
    const { size } = await handle.stat();
    if (size < length) {
      await handle.close();
      throw new ConfigError('output', {
        expected: `${unfinished} to have at least the ${length} bytes of an earlier run`,
        problem: `it has ${size}`,
        remedy: 'remove it and its .run folder to start again',
      });
    }
    await handle.truncate(length);
    return new FileWriter(path, unfinished, handle, { length });
  }

  /** Bytes appended so far. */
  get length(): number {
    return this.#flushed + this.#filled;
  }

  /** Appends a copy of the bytes, in call order; awaiting each call limits memory to one block. */
  append(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + blockBytes - this.#filled);
      this.#block.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === blockBytes) this.#flush();
    }
    return this.#tail;
  }

  /** Passes all appended bytes to the system, where they outlive this process. */
  flush(): Promise<void> {
    this.#flush();
    return this.#tail;
  }

  /** Overwrites bytes appended before, such as a header with counts that are known only at the end. */
  async patch(offset: number, bytes: Uint8Array): Promise<void> {
    await this.flush();
    await writeFully(this.#handle, bytes, offset);
  }

  /** Yields the appended bytes in blocks, to copy a spool into its file. */
  async *contents(): AsyncGenerator<Uint8Array> {
    await this.flush();
    const block = Buffer.allocUnsafe(blockBytes);
    for (let at = 0; at < this.#flushed; ) {
      const { bytesRead } = await this.#handle.read(block, 0, Math.min(blockBytes, this.#flushed - at), at);
      if (bytesRead === 0) throw new Error(`${this.#temporary} was truncated while it was being written.`);
      yield block.subarray(0, bytesRead);
      at += bytesRead;
    }
  }

  /**
   * Completes the file on disk and renames it into place.
   *
   * @param path - another name, in the same folder
   */
  async commit(path: string = this.path): Promise<void> {
    await this.finish();
    try {
      await rename(this.#temporary, path);
    } catch (error) {
      await this.discard();
      throw error;
    }
  }

  /** The first half of a commit, for related files: the data are on disk, but not yet renamed. */
  async finish(): Promise<void> {
    if (this.#finished) return;
    try {
      await this.flush();
      await this.#handle.sync();
      await this.#handle.close();
      this.#finished = true;
    } catch (error) {
      await this.discard();
      throw error;
    }
  }

  /** Removes the unfinished file, unless a later process may go on with it. */
  async discard(): Promise<void> {
    await this.#tail.catch(() => undefined);
    await this.#handle.close().catch(() => undefined);
    if (!this.#outlives) await rm(this.#temporary, { force: true });
  }

  #flush(): void {
    if (this.#filled === 0) return;
    const isFull = this.#filled === blockBytes;
    const filled = this.#block.subarray(0, this.#filled);
    const [bytes, offset] = [isFull ? filled : Buffer.from(filled), this.#flushed];
    this.#flushed += this.#filled;
    if (isFull) this.#block = Buffer.allocUnsafe(blockBytes);
    this.#filled = 0;
    this.#tail = this.#tail.then(() => writeFully(this.#handle, bytes, offset));
    this.#tail.catch(() => undefined); // whoever awaits the tail gets the error
  }
}

/** Writes a file atomically. */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const file = await FileWriter.create(path);
  try {
    for (let at = 0; at < bytes.length; at += blockBytes) await file.append(bytes.subarray(at, at + blockBytes));
  } catch (error) {
    await file.discard();
    throw error;
  }
  await file.commit();
}

async function writeFully(handle: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    at += (await handle.write(bytes, at, bytes.length - at, offset + at)).bytesWritten;
  }
}
