/**
 * How every format here is written: appended through one block of memory to a temporary name beside the target, synced,
 * and renamed when whole. A kill leaves what stood under the name before. The temporary name is each writer's own, so that
 * of two that write one path the last to finish has it, whole.
 */
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { expectFileTarget } from './write-target.ts';

const blockBytes = 1 << 20;

/** One file being written. Owns a handle: end with {@link FileWriter.commit} or {@link FileWriter.discard}. */
export class FileWriter {
  readonly path: string;
  readonly #temporary: string;
  readonly #handle: FileHandle;
  #block: Buffer = Buffer.allocUnsafe(blockBytes);
  #filled = 0;
  #flushed = 0;
  #finished = false;
  #tail: Promise<void> = Promise.resolve();

  private constructor(path: string, temporary: string, handle: FileHandle) {
    this.path = path;
    this.#temporary = temporary;
    this.#handle = handle;
  }

  /** @throws {ConfigError} when the folder is not there, or the path is one */
  static async create(path: string): Promise<FileWriter> {
    await expectFileTarget(path);
    const temporary = `${path}.${randomUUID()}.part`;
    return new FileWriter(path, temporary, await open(temporary, 'wx+'));
  }

  /** Bytes appended so far. */
  get length(): number {
    return this.#flushed + this.#filled;
  }

  /** Appends bytes, in the order of the calls; awaiting each holds memory to one block. The bytes are copied. */
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

  /** Overwrites bytes appended before, such as a header whose counts are known at the end only. */
  async patch(offset: number, bytes: Uint8Array): Promise<void> {
    this.#flush();
    await this.#tail;
    await writeFully(this.#handle, bytes, offset);
  }

  /** What was appended so far, in blocks: how a spool is copied into the file it belongs to. */
  async *contents(): AsyncGenerator<Uint8Array> {
    this.#flush();
    await this.#tail;
    const block = Buffer.allocUnsafe(blockBytes);
    for (let at = 0; at < this.#flushed; ) {
      const { bytesRead } = await this.#handle.read(block, 0, Math.min(blockBytes, this.#flushed - at), at);
      if (bytesRead === 0) throw new Error(`${this.#temporary} was cut while it was being written.`);
      yield block.subarray(0, bytesRead);
      at += bytesRead;
    }
  }

  /**
   * On return the file is on the disk under its name, whole.
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

  /** The first half of a commit, for files that belong together: all is on the disk, and none has its name yet. */
  async finish(): Promise<void> {
    if (this.#finished) return;
    try {
      this.#flush();
      await this.#tail;
      await this.#handle.sync();
      await this.#handle.close();
      this.#finished = true;
    } catch (error) {
      await this.discard();
      throw error;
    }
  }

  /** Leaves nothing behind. */
  async discard(): Promise<void> {
    await this.#tail.catch(() => undefined);
    await this.#handle.close().catch(() => undefined);
    await rm(this.#temporary, { force: true });
  }

  #flush(): void {
    if (this.#filled === 0) return;
    const [bytes, offset] = [this.#block.subarray(0, this.#filled), this.#flushed];
    this.#flushed += this.#filled;
    this.#block = Buffer.allocUnsafe(blockBytes);
    this.#filled = 0;
    this.#tail = this.#tail.then(() => writeFully(this.#handle, bytes, offset));
    this.#tail.catch(() => undefined); // whoever awaits the tail is told
  }
}

/** Writes a file in one go; on return it is on the disk under its name, whole. */
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
