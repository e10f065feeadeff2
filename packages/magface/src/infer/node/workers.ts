/**
 * A pool of threads with sessions of their own, one core each. A thread starts when those there are busy; it holds at most
 * two tasks, so that the next image is read while one is computed; the rest waits here in order.
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
  /** Move the memory of encoded images to the thread: the caller has no more use for them. @default false */
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

/** One that is computed, one that is read. */
const tasksAtOnce = 2;
/** Bytes that a thread takes beside its models: Node, the libraries, two photos. */
const threadBytes = 150 * 2 ** 20;
/** What a session takes of memory, in sizes of its model's file: weights as they came and packed, and values between layers. */
const sessionSizes = 4;

/** @returns one worker for each core, where a network in it has one thread */
export const usualWorkers = (threads = 1): number => Math.max(1, Math.floor(cores() / threads));

/** @returns as many threads as asked for, else as there are cores, but no more than a quarter of the memory has room for */
export function workerCount(
  { model, detector }: LoadedModels,
  { workers, threads = 1 }: { readonly workers?: number | undefined; readonly threads?: number | undefined },
): number {
  const bytes = threadBytes + sessionSizes * (model.bytes.length + (detector?.bytes.length ?? 0));
  const fitting = Math.floor(totalmem() / 4 / bytes);
  return Math.max(1, Math.min(workers ?? usualWorkers(threads), fitting));
}

/** Up to so many images are done before the first thread would be ready. */
const few = { photos: 2, aligned: 64 } as const;

/** @returns whether so many images are not worth starting threads */
export const isFew = (images: number, { aligned = false }: { readonly aligned?: boolean | undefined }): boolean =>
  images <= (aligned ? few.aligned : few.photos);

/** Owns the threads. They keep the process alive only while they have a task. */
export class Workers {
  readonly count: number;
  /** Resolves when a thread has ended by itself, with the reason, or by disposal, with nothing. */
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

  /** How many more tasks a thread would take at once. */
  get free(): number {
    const held = this.#threads.reduce((sum, { tasks }) => sum + tasks.size, 0);
    return Math.max(0, tasksAtOnce * this.count - held - this.#waiting.length);
  }

  /** How many threads have nothing to do, those not started yet among them. */
  get idle(): number {
    return this.count - this.#threads.filter(({ tasks }) => tasks.size > 0).length;
  }

  /**
   * Starts threads now and waits until they have opened their models.
   *
   * @throws {ModelError} when the runtime cannot open one
   */
  async start(count: number = this.count): Promise<void> {
    while (this.#threads.length < Math.min(count, this.count)) this.#startThread();
    await Promise.all(this.#threads.map(({ ready }) => ready));
  }

  /**
   * @param inputs - images that go through the networks together
   * @returns what became of each, in order
   * @throws {MagfaceError} `worker_failed` when the thread ended, `disposed`; the signal's reason
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
      this.#hand();
    });
  }

  /** @param reason - what tasks that are not done fail with */
  async close(reason: unknown = disposed()): Promise<void> {
    this.#closed ??= reason;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#closed);
    const threads = this.#threads.splice(0);
    for (const { tasks } of threads) for (const { reject } of tasks.values()) reject(this.#closed);
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
    this.#end(undefined);
  }

  /** Gives waiting tasks to the thread with the fewest; where none is idle another one starts. */
  #hand(): void {
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
      task.reject(error); // what cannot be cloned
    }
  }

  #startThread(): void {
    // From source (tests) the compiled worker serves: a thread has no loader for TypeScript.
    const file = import.meta.url.endsWith('.ts') ? '../../../dist/infer/node/worker.js' : './worker.js';
    const worker = new Worker(new URL(file, import.meta.url), { workerData: this.#setup, execArgv: [] });
    const tasks = new Map<number, Task>();
    const ready = new Promise<void>((resolve, reject) => {
      worker.on('message', (message: FromWorker) => {
        if (message.kind === 'ready') resolve();
        else if (message.kind === 'failed' && message.id === undefined) {
          const error = receivedError(message.error);
          reject(error);
          this.#lose(thread, error);
        } else this.#settle(thread, message as Extract<FromWorker, { id: number }>);
      });
      worker.once('error', (error) => {
        reject(error);
        this.#lose(thread, ended(error));
      });
      worker.once('exit', () => {
        reject(ended());
        this.#lose(thread, ended());
      });
    });
    ready.catch(() => undefined); // told to whoever waits for the start, and to its tasks
    const thread: Thread = { worker, tasks, ready };
    this.#threads.push(thread);
  }

  #settle(thread: Thread, message: Extract<FromWorker, { kind: 'done' | 'failed' }>): void {
    const task = thread.tasks.get(message.id!);
    thread.tasks.delete(message.id!);
    if (thread.tasks.size === 0) thread.worker.unref();
    this.#hand();
    if (message.kind === 'done') task?.resolve(message.outcomes);
    else task?.reject(receivedError(message.error));
  }

  #abort(task: Task, reason: unknown): void {
    const at = this.#waiting.indexOf(task);
    if (at >= 0) this.#waiting.splice(at, 1);
    // Its place stays taken until the thread has left it.
    this.#threads
      .find(({ tasks }) => tasks.has(task.id))
      ?.worker.postMessage({ kind: 'abort', id: task.id } satisfies ToWorker);
    task.reject(reason);
  }

  /** A thread that is gone: its tasks fail, the next ones start another. */
  #lose(thread: Thread, error: Error): void {
    const at = this.#threads.indexOf(thread);
    if (at < 0) return;
    this.#threads.splice(at, 1);
    this.#end(error instanceof MagfaceError ? error : ended(error));
    for (const { reject } of thread.tasks.values()) reject(error);
    this.#hand();
  }
}

function ended(cause?: Error): MagfaceError {
  const why = cause === undefined ? '' : `: ${cause.message}`;
  return new MagfaceError('worker_failed', `Expected a worker thread to go on but it ended${why}.`, { cause });
}

function sentInput(input: ImageInput): SentInput {
  if (input instanceof URL) return { address: input.href };
  if (input instanceof Uint8Array) return ownMemory(input);
  if (typeof input !== 'object' || !ArrayBuffer.isView(input.data)) return input;
  return { ...input, data: ownMemory(input.data) };
}
