/** The environment of a command: passed by `main.ts`, replaced in tests. */
import type { Services } from './services.ts';

/** A text stream, possibly a terminal. */
export type TextStream = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

export interface Context {
  readonly stdin: NodeJS.ReadableStream;
  /** Data only. */
  readonly stdout: TextStream;
  /** Progress, notes and errors. */
  readonly stderr: TextStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by the first SIGINT. */
  readonly signal: AbortSignal;
  /** Heavy modules, each loaded on first use. */
  readonly services: Services;
}

/** Writes one line for people. */
export function note(context: Pick<Context, 'stderr'>, line: string): void {
  context.stderr.write(`${line}\n`);
}

/**
 * Resolves once the stream has accepted the text, so that a slow reader slows the run and memory stays small.
 *
 * @throws {Error} if the stream has failed (a full disk), on every call
 */
export function send(stream: NodeJS.WritableStream & { readonly errored?: Error | null }, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(stream.errored ?? error) : resolve()));
  });
}
