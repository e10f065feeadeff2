/** What a command may touch: handed in by `main.ts`, replaced in tests. */
import type { Services } from './services.ts';

/** A stream for text that may be a terminal. */
export type TextStream = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

export interface Context {
  readonly stdin: NodeJS.ReadableStream;
  /** Data alone. */
  readonly stdout: TextStream;
  /** Progress, notes and errors. */
  readonly stderr: TextStream;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by the first SIGINT. */
  readonly signal: AbortSignal;
  /** Everything heavy, loaded when first asked for. */
  readonly services: Services;
}

/** Writes one line for people. */
export function note(context: Pick<Context, 'stderr'>, line: string): void {
  context.stderr.write(`${line}\n`);
}

/**
 * Resolves when the stream has taken the text, so that a slow reader holds the run back and memory stays small.
 *
 * @throws {Error} why it takes no more: a full disk, also when asked again
 */
export function send(stream: NodeJS.WritableStream & { readonly errored?: Error | null }, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(stream.errored ?? error) : resolve()));
  });
}
