/** Threads of Node that answer calls. */
import { parentPort, Worker } from 'node:worker_threads';
import { type Answering, answerer, type CallOptions, Calls, threadEnded } from '../calls.ts';
import type { MagfaceError } from '../errors.ts';

export interface ThreadOptions {
  /** Given to the thread as `workerData`. */
  readonly setup?: unknown;
  /** Called after each answer, also to an aborted call. */
  readonly onAnswer?: () => void;
  /** Called once if the thread ends by itself. */
  readonly onEnd?: (error: MagfaceError) => void;
}

/** Owns a thread, which keeps the process alive only while it has calls. */
export class Thread<Request, Answer> {
  readonly #worker: Worker;
  readonly #calls: Calls<Request, Answer>;
  readonly #onEnd: (error: MagfaceError) => void;
  #isEnded = false;
  #whenIdle: () => void = () => undefined;

  /**
   * @param base - `import.meta.url` of the caller
   * @param file - the thread's file, relative to it
   */
  constructor(base: string, file: string, { setup, onAnswer, onEnd = () => undefined }: ThreadOptions = {}) {
    this.#worker = new Worker(compiledFile(base, file), { workerData: setup, execArgv: [] });
    this.#onEnd = onEnd;
    this.#calls = new Calls<Request, Answer>(
      (message, transfer) => this.#worker.postMessage(message, transfer as ArrayBuffer[]),
      () => {
        if (this.pending === 0) {
          this.#worker.unref();
          this.#whenIdle();
        }
        onAnswer?.();
      },
    );
    this.#worker.on('message', (message) => this.#calls.receive(message));
    this.#worker.once('error', (error) => this.#ended(threadEnded(error)));
    this.#worker.once('exit', () => this.#ended(threadEnded()));
    this.#worker.unref();
  }

  /** Number of calls that the thread works on, including aborted ones. */
  get pending(): number {
    return this.#calls.pending;
  }

  /** @throws as {@link Calls.call}, and {MagfaceError} `worker_failed` if the thread ended */
  call(request: Request, options: CallOptions = {}): Promise<Answer> {
    const answer = this.#calls.call(request, options);
    if (this.pending > 0) this.#worker.ref();
    return answer;
  }

  /** Rejects all calls with the reason and ends the thread at once. */
  async terminate(reason: unknown): Promise<void> {
    this.#isEnded = true;
    this.#calls.end(reason);
    await this.#worker.terminate();
  }

  /**
   * Rejects all calls with the reason, and ends the thread once it has stopped working on them: ending it within some
   * native code would end the process.
   */
  async close(reason: unknown): Promise<void> {
    this.#calls.end(reason);
    this.#worker.ref(); // else the process may end before the thread has, and hide an error on its way
    if (this.pending > 0 && !this.#isEnded)
      await new Promise<void>((resolve) => {
        this.#whenIdle = resolve;
      });
    await this.terminate(reason);
  }

  #ended(error: MagfaceError): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#calls.end(error);
    this.#whenIdle();
    this.#onEnd(error);
  }
}

/** From source (tests) the compiled file is used: threads have no loader for TypeScript. */
function compiledFile(base: string, file: string): URL {
  if (!base.endsWith('.ts')) return new URL(file, base);
  const at = base.lastIndexOf('/src/');
  return new URL(file, `${base.slice(0, at)}/dist/${base.slice(at + '/src/'.length)}`);
}

/** The thread's side: answers the calls to the thread that runs this. */
export function answerCalls<Request, Answer>(answering: Answering<Request, Answer>): void {
  const port = parentPort!;
  port.on(
    'message',
    answerer(answering, (message, transfer) => port.postMessage(message, transfer as ArrayBuffer[])),
  );
}
