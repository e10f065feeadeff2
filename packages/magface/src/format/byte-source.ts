/** Reads ranges of a file of any size: the byte access of every reader here. */

import { close as closeFile, closeSync, constants, fstatSync, openSync, read as readFile, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { FormatError } from '../errors.ts';
import type { Fault } from '../fault.ts';
import { missingProblem } from './missing-file.ts';

/** Bytes by offset. Reads outside the file throw; no read is silently short. */
export interface ByteSource {
  /** The name for messages. */
  readonly file: string;
  readonly size: number;
  /** @returns exactly `length` bytes, owned by the caller; @throws {FormatError} if the file has fewer */
  read(offset: number, length: number): Promise<Buffer>;
  /** The same, synchronously, for parsers that read byte by byte. */
  readSync(offset: number, length: number): Buffer;
  /** @returns the error for bytes that contradict their format */
  error(fault: Fault, offset?: number, cause?: unknown): FormatError;
  close(): Promise<void>;
  closeSync(): void;
}

const read = promisify(readFile);
const closeDescriptor = promisify(closeFile);

/**
 * Opens a file for reads by range.
 *
 * @throws {FormatError} if the file cannot be read
 */
export async function openBytes(file: string): Promise<ByteSource> {
  return openBytesSync(file);
}

/** The same, synchronously, for worker threads and for checks before a run begins. */
export function openBytesSync(file: string): ByteSource {
  const [descriptor, size] = openFile(file);
  const { expectRange, error } = checks(file, size);
  const cut = (at: number): FormatError =>
    error(
      { expected: 'more bytes', problem: 'the file was truncated while it was being read', remedy: 'try again' },
      at,
    );
  return {
    file,
    size,
    error,
    async read(offset, length) {
      const bytes = Buffer.allocUnsafeSlow(expectRange(offset, length));
      for (let at = 0; at < length; ) {
        const { bytesRead } = await read(descriptor, bytes, at, length - at, offset + at);
        if (bytesRead === 0) throw cut(offset + at);
        at += bytesRead;
      }
      return bytes;
    },
    readSync(offset, length) {
      const bytes = Buffer.allocUnsafeSlow(expectRange(offset, length));
      for (let at = 0; at < length; ) {
        const bytesRead = readSync(descriptor, bytes, at, length - at, offset + at);
        if (bytesRead === 0) throw cut(offset + at);
        at += bytesRead;
      }
      return bytes;
    },
    close: () => closeDescriptor(descriptor),
    closeSync: () => closeSync(descriptor),
  };
}

function openFile(file: string): readonly [descriptor: number, size: number] {
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)); // a named pipe would block until a writer opens it
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const problem = code === 'ENOENT' ? missingProblem(file) : `it cannot be opened (${code})`;
    throw new FormatError(file, { expected: 'a file', problem, remedy: 'check the path' }, { cause });
  }
  const stats = fstatSync(descriptor);
  if (stats.isFile()) return [descriptor, stats.size];
  closeSync(descriptor);
  const what = stats.isDirectory() ? 'a folder' : 'something else';
  throw new FormatError(file, { expected: 'a file', problem: `it is ${what}`, remedy: 'check the path' });
}

/** Bytes in memory as a source, for downloads and tests. */
export function bytesSource(bytes: Uint8Array, file = 'bytes'): ByteSource {
  const { expectRange, error } = checks(file, bytes.length);
  const slice = (offset: number, length: number): Buffer =>
    Buffer.from(bytes.subarray(offset, offset + expectRange(offset, length)));
  return {
    file,
    size: bytes.length,
    error,
    read: async (offset, length) => slice(offset, length),
    readSync: slice,
    close: async () => undefined,
    closeSync: () => undefined,
  };
}

function checks(
  file: string,
  size: number,
): { expectRange(offset: number, length: number): number } & Pick<ByteSource, 'error'> {
  const error: ByteSource['error'] = (fault, offset, cause) =>
    new FormatError(file, fault, {
      ...(offset === undefined ? {} : { offset }),
      ...(cause === undefined ? {} : { cause }),
    });
  const expectRange = (offset: number, length: number): number => {
    if (offset >= 0 && length >= 0 && offset + length <= size) return length;
    throw error(
      {
        expected: `${length} bytes`,
        problem: `the file ends at byte ${size}`,
        remedy: 'it may be truncated, so copy it again',
      },
      Math.min(offset, size),
    );
  };
  return { expectRange, error };
}
