/** Reads a pickle through a buffer, since most reads are one to nine bytes. */
import type { ByteSource } from './byte-source.ts';

const windowBytes = 1 << 16;
/** Limit on names and short texts; no format here has larger ones. */
const mostTextBytes = 1 << 24;

export class PickleCursor {
  readonly #source: ByteSource;
  #window: Buffer = Buffer.alloc(0);
  #windowAt = 0;
  at: number;

  constructor(source: ByteSource, at: number) {
    this.#source = source;
    this.at = at;
  }

  byte(): number {
    const index = this.at++ - this.#windowAt;
    return this.#window[index] ?? this.#refill(1)[0]!;
  }

  /** @returns a view that is valid until the next read */
  take(length: number): Buffer {
    const index = this.at - this.#windowAt;
    this.at += length;
    if (index + length <= this.#window.length) return this.#window.subarray(index, index + length);
    return this.#refill(length);
  }

  uint(bytes: 1 | 2 | 4): number {
    return this.take(bytes).readUIntLE(0, bytes);
  }

  /** A length of eight bytes; reading that far reports an impossible one. */
  length64(): number {
    return Number(this.take(8).readBigUInt64LE(0));
  }

  text(length: number): string {
    if (length > mostTextBytes)
      throw this.#source.error(
        { expected: 'a short text', problem: `it claims ${length} bytes`, remedy: 'copy the file again' },
        this.at,
      );
    return this.take(length).toString('utf8');
  }

  /** @returns the text up to the line feed, as protocol 0 writes it */
  line(): string {
    const bytes: number[] = [];
    for (let byte = this.byte(); byte !== 10; byte = this.byte()) {
      bytes.push(byte);
      if (bytes.length > windowBytes)
        throw this.#source.error(
          { expected: 'a line of text', problem: 'it does not end', remedy: 'copy the file again' },
          this.at,
        );
    }
    return Buffer.from(bytes).toString('utf8');
  }

  /** Skips bytes. */
  skip(length: number): { offset: number; length: number } {
    const offset = this.at;
    if (offset + length > this.#source.size) {
      throw this.#source.error(
        {
          expected: `${length} bytes`,
          problem: `the file ends at byte ${this.#source.size}`,
          remedy: 'it may be truncated, so copy it again',
        },
        offset,
      );
    }
    this.at += length;
    return { offset, length };
  }

  /** Moves the buffer so that it begins with the `length` bytes before `at`. */
  #refill(length: number): Buffer {
    const start = this.at - length;
    const most = Math.max(length, Math.min(windowBytes, this.#source.size - start));
    this.#window = this.#source.readSync(start, most);
    this.#windowAt = start;
    return this.#window.subarray(0, length);
  }
}
