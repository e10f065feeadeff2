/**
 * A pool of worker threads, each with its own sessions and one core. A thread starts when all others are busy. It holds
 * at most two tasks, so that it can read the next image while it analyzes one; further tasks wait in a queue.
 */
import { totalmem } from 'node:os';
import { Worker } from 'node:worker_threads';
import { MagfaceError } from '../../errors.ts';
import { cores } from '../../machine/cores.ts';
import { disposed } from '../closable-session.ts';
import { receivedError } from '../sent-error.ts';
import type { LoadedModels } from './engine.ts';
import type { ImageInput } from './read-image.ts';
import {
  type FromWorker,
  ownMemory,
  type SentInput,
  type TaskOptions,
  type TaskOutcome,
  type ToWorker,
  type WorkerSetup,
} from './worker-messages.ts';

export interface RunOptions {
  readonly options: TaskOptions;
  readonly signal?: AbortSignal | undefined;
  /** Transfer encoded images instead of copying them; the caller can no longer use them. @default false */
  readonly transfer?: boolean;
}

interface Task extends RunOptions {
  readonly id: number;
  readonly inputs: readonly ImageInput[];
  readonly resolve: (outcomes: readonly TaskOutcome[]) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly tasks: Map<number, Task>;
  readonly ready: Promise<void>;
}

/** One being analyzed and one being read. */
const tasksAtOnce = 2;
/** Memory per thread without its models, in bytes: Node, the libraries, two photos. */
const threadBytes = 150 * 2 ** 20;
/** Memory per session, in multiples of the model file: original and packed weights, and activations. */
const sessionSizes = 4;

/** @returns one worker per core if each network uses one thread */
export const usualWorkers = (threads = 1): number => Math.max(1, Math.floor(cores() / threads));

/** @returns the requested number of threads, else one per core, limited to what fits into a quarter of the memory */
export function workerCount(
  { model, detector }: LoadedModels,
  { workers, threads = 1 }: { readonly workers?: number | undefined; readonly threads?: number | undefined },
): number {
  const bytes = threadBytes + sessionSizes * (model.bytes.length + (detector?.bytes.length ?? 0));
  const fitting = Math.floor(totalmem() / 4 / bytes);
  return Math.max(1, Math.min(workers ?? usualWorkers(threads), fitting));
}

/** Up to this many images, the caller's thread finishes before the first worker would be ready. */
const few = { photos: 2, aligned: 64 } as const;

/** @returns whether there are too few images to justify starting workers */
export const isFew = (images: number, { aligned = false }: { readonly aligned?: boolean | undefined }): boolean =>
  images <= (aligned ? few.aligned : few.photos);

/** Owns the worker threads. They keep the process alive only while they have tasks. */
export class Workers {
  readonly count: number;
  /** Resolves with the error when a thread ends unexpectedly, or with undefined on disposal. */
  readonly ended: Promise<MagfaceError | undefined>;
  readonly #setup: WorkerSetup;
  readonly #threads: Thread[] = [];
  readonly #waiting: Task[] = [];
  #next = 0;
  #closed: unknown;
  #end: (error: MagfaceError | undefined) => void = () => undefined;

  constructor(setup: WorkerSetup, count: number) {
    this.#setup = setup;
    this.count = count;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Number of further tasks that threads would accept immediately. */
  get free(): number {
    const assigned = this.#threads.reduce((sum, { tasks }) => sum + tasks.size, 0);
    return Math.max(0, tasksAtOnce * this.count - assigned - this.#waiting.length);
  }

  /** Number of idle threads, including threads not started yet. */
  get idle(): number {
    return this.count - this.#threads.filter(({ tasks }) => tasks.size > 0).length;
  }

  /**
   * Starts threads and waits until they have opened their models.
   *
   * @throws {ModelError} if the runtime cannot open a model
   */
  async start(count: number = this.count): Promise<void> {
    while (this.#threads.length < Math.min(count, this.count)) this.#startThread();
    await Promise.all(this.#threads.map(({ ready }) => ready));
  }

  /**
   * @param inputs - images to analyze together
   * @returns the result of each, in order
   * @throws {MagfaceError} `worker_failed` if the thread ended, `disposed`; or the signal's reason
   */
  run(
    inputs: readonly ImageInput[],
    { options, signal, transfer = false }: RunOptions,
  ): Promise<readonly TaskOutcome[]> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    const id = this.#next++;
    return new Promise<readonly TaskOutcome[]>((resolve, reject) => {
      const abort = (): void => this.#abort(task, signal!.reason);
      const forget = (): void => signal?.removeEventListener('abort', abort);
      const task: Task = {
        id,
        inputs,
        options,
        transfer,
        resolve: (outcomes) => {
          forget();
          resolve(outcomes);
        },
        reject: (error) => {
          forget();
          reject(error);
        },
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.push(task);
      this.#dispatch();
    });
  }

  /** @param reason - error for unfinished tasks */
  async close(reason: unknown = disposed()): Promise<void> {
    this.#closed ??= reason;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#closed);
    const threads = this.#threads.splice(0);
    for (const { tasks } of threads) for (const { reject } of tasks.values()) reject(this.#closed);
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
    this.#end(undefined);
  }

  /** Gives waiting tasks to the thread with the fewest tasks. Starts another thread if none is idle. */
  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const least = Math.min(...this.#threads.map(({ tasks }) => tasks.size), Number.POSITIVE_INFINITY);
      if (least > 0 && this.#threads.length < this.count) {
        this.#startThread();
        continue;
      }
      if (least >= tasksAtOnce) return;
      this.#send(this.#threads.find(({ tasks }) => tasks.size === least)!, this.#waiting.shift()!);
    }
  }

  #send(thread: Thread, task: Task): void {
    const { id, options } = task;
    try {
      const inputs = task.inputs.map(sentInput);
      const moved =
        task.transfer === true
          ? inputs.flatMap((input) => (input instanceof Uint8Array ? [input.buffer as ArrayBuffer] : []))
          : [];
      thread.worker.postMessage({ kind: 'task', id, inputs, options } satisfies ToWorker, moved);
      thread.tasks.set(id, task);
      thread.worker.ref();
    } catch (error) {
      task.reject(error); // the input cannot be cloned
    }
  }

  #startThread(): void {
    // When running from source (tests), use the compiled worker: worker threads have no TypeScript loader.
    const file = import.meta.url.endsWith('.ts') ? '../../../dist/infer/node/worker.js' : './worker.js';
    const worker = new Worker(new URL(file, import.meta.url), { workerData: this.#setup, execArgv: [] });
    const tasks = new Map<number, Task>();
    const ready = new Promise<void>((resolve, reject) => {
      worker.on('message', (message: FromWorker) => {
        if (message.kind === 'ready') resolve();
        else if (message.kind === 'failed' && message.id === undefined) {
          const error = receivedError(message.error);
          reject(error);
          this.#removeThread(thread, error);
        } else this.#settle(thread, message as Extract<FromWorker, { id: number }>);
      });
      worker.once('error', (error) => {
        reject(error);
        this.#removeThread(thread, ended(error));
      });
      worker.once('exit', () => {
        reject(ended());
        this.#removeThread(thread, ended());
      });
    });
    ready.catch(() => undefined); // reported by start() and by the thread's tasks
    const thread: Thread = { worker, tasks, ready };
    this.#threads.push(thread);
  }

  #settle(thread: Thread, message: Extract<FromWorker, { kind: 'done' | 'failed' }>): void {
    const task = thread.tasks.get(message.id!);
    thread.tasks.delete(message.id!);
    if (thread.tasks.size === 0) thread.worker.unref();
    this.#dispatch();
    if (message.kind === 'done') task?.resolve(message.outcomes);
    else task?.reject(receivedError(message.error));
  }

  #abort(task: Task, reason: unknown): void {
    const at = this.#waiting.indexOf(task);
    if (at >= 0) this.#waiting.splice(at, 1);
    // The task keeps its slot until the thread has stopped working on it.
    this.#threads
      .find(({ tasks }) => tasks.has(task.id))
      ?.worker.postMessage({ kind: 'abort', id: task.id } satisfies ToWorker);
    task.reject(reason);
  }

  /** Removes a thread that ended: its tasks fail, and later tasks start a new thread. */
  #removeThread(thread: Thread, error: Error): void {
    const at = this.#threads.indexOf(thread);
    if (at < 0) return;
    this.#threads.splice(at, 1);
    this.#end(error instanceof MagfaceError ? error : ended(error));
    for (const { reject } of thread.tasks.values()) reject(error);
    this.#dispatch();
  }
}

function ended(cause?: Error): MagfaceError {
  const why = cause === undefined ? '' : `: ${cause.message}`;
  return new MagfaceError('worker_failed', `Expected a running worker thread but it ended${why}.`, { cause });
}

function sentInput(input: ImageInput): SentInput {
  if (input instanceof URL) return { address: input.href };
  if (input instanceof Uint8Array) return ownMemory(input);
  if (typeof input !== 'object' || !ArrayBuffer.isView(input.data)) return input;
  return { ...input, data: ownMemory(input.data) };
}
