/// <reference lib="dom" />
/** The worker as the page sees it. */
import { type CallOptions, Calls } from '../calls.ts';
import { MagfaceError } from '../errors.ts';
import type { Reply, Request } from './messages.ts';
import type { LoadProgress } from './models.ts';

/** Owns a worker. */
export class WorkerCalls {
  readonly #worker: Worker;
  readonly #calls: Calls<Request, Reply, LoadProgress>;

  constructor(worker: Worker) {
    this.#worker = worker;
    this.#calls = new Calls((message, transfer) => worker.postMessage(message, transfer as Transferable[]));
    worker.addEventListener('message', ({ data }) => this.#calls.receive(data));
    worker.addEventListener('error', ({ message }) => {
      const problem = `it failed (${message || 'its script could not be loaded'})`;
      this.end(
        new MagfaceError('browser_failed', { expected: 'a running worker', problem, remedy: 'reload the page' }),
      );
    });
  }

  call(request: Request, options: CallOptions<LoadProgress> = {}): Promise<Reply> {
    return this.#calls.call(request, options);
  }

  /** Terminates the worker and rejects pending calls with the reason. */
  end(reason: unknown): void {
    this.#calls.end(reason);
    this.#worker.terminate();
  }
}
