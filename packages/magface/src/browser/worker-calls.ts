/// <reference lib="dom" />
/** Calls to the worker as promises. Replies are matched to calls by id; aborts are sent with the same id. */
import { MagfaceError } from '../errors.ts';
import { receivedError, type SentError } from '../infer/sent-error.ts';
import type { Answers, Reply, Request } from './messages.ts';
import type { LoadProgress } from './models.ts';

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;
export type Call = WithoutId<Exclude<Request, { kind: 'abort' }>>;

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly transfer?: Transferable[];
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
}

interface Waiting {
  resolve(value: Answers[keyof Answers]): void;
  reject(error: unknown): void;
  readonly onProgress: CallOptions['onProgress'];
}

/** Owns a worker and its pending calls. */
export class WorkerCalls {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #ended: unknown;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.addEventListener('message', ({ data }: MessageEvent<Reply>) => this.#receive(data));
    worker.addEventListener('error', ({ message }) => {
      const why = message || 'its file could not be loaded';
      const text = `Expected a running worker but it failed: ${why}. Reload the page.`;
      this.end(new MagfaceError('browser_failed', text));
    });
  }

  async call(call: Call, { signal, transfer = [], onProgress }: CallOptions = {}): Promise<Answers[keyof Answers]> {
    signal?.throwIfAborted();
    if (this.#ended !== undefined) throw this.#ended;
    const id = this.#next++;
    const abort = (): void => {
      this.#worker.postMessage({ id, kind: 'abort' } satisfies Request);
      this.#take(id)?.reject(signal!.reason);
    };
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject, onProgress });
        signal?.addEventListener('abort', abort);
        this.#worker.postMessage({ ...call, id } satisfies Request, transfer);
      });
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Terminates the worker and rejects pending calls with the reason. */
  end(reason: unknown): void {
    this.#ended ??= reason;
    this.#worker.terminate();
    for (const id of [...this.#waiting.keys()]) this.#take(id)?.reject(reason);
  }

  #receive(reply: Reply): void {
    if (reply.kind === 'progress') this.#waiting.get(reply.id)?.onProgress?.(reply.progress);
    else if (reply.kind === 'done') this.#take(reply.id)?.resolve(reply.value);
    else this.#take(reply.id)?.reject(failure(reply.error));
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }
}

/** Gives unexpected errors of the worker a code that pages can test. */
const failure = (error: SentError): Error =>
  receivedError(error.code === 'unexpected' ? { ...error, code: 'browser_failed' } : error);
