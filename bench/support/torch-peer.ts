/** The peer in plain PyTorch: a Python process that answers each line with numbers. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/**
 * Makes glibc keep freed memory, which gives PyTorch the equivalent of our caching allocator: only figures with it compare
 * kernels.
 */
export const keepingMemory: Readonly<Record<string, string>> = {
  MALLOC_MMAP_MAX_: '0',
  MALLOC_TRIM_THRESHOLD_: '16000000000',
  MALLOC_TOP_PAD_: '67108864',
};

export interface PeerOptions {
  /** Python with PyTorch; Debian: python3-torch. @default '/usr/bin/python3' */
  readonly python?: string | undefined;
  /** @default none beside this process's own */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Owns the process, which sleeps while other candidates run. */
export class TorchPeer {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  /** @param script - beside this file */
  constructor(
    script: string,
    args: readonly (string | number)[],
    { python = '/usr/bin/python3', environment }: PeerOptions = {},
  ) {
    const path = fileURLToPath(new URL(script, import.meta.url));
    this.#process = spawn(python, [path, ...args.map(String)], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...environment },
    });
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /** @returns the numbers of the answer */
  async ask(line: string): Promise<number[]> {
    this.#process.stdin.write(`${line}\n`);
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`Expected an answer to "${line}" but Python ended: see above.`);
    return String(value).split(' ').map(Number);
  }

  [Symbol.dispose](): void {
    this.#process.stdin.end();
  }
}
