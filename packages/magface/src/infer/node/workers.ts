/**
 * A pool of worker threads, each with its own sessions and one core. A thread starts when all others are busy. It holds
 * at most two tasks, so that it can read the next image while it analyzes one; further tasks wait in a queue.
 */
import { totalmem } from 'node:os';
import type { MagfaceError } from '../../errors.ts';
import type { AnalyzedFace } from '../../face.ts';
import { cores } from '../../machine/cores.ts';
import { Thread } from '../../machine/thread.ts';
import type { ImageSize } from '../../pixels.ts';
import type { SentError } from '../../sent-error.ts';
import type { AnalyzeOptions } from '../pipeline.ts';
import { disposed } from '../session.ts';
import type { LoadedModels } from './engine.ts';
import type { ImageInput, ImageLimits } from './read-image.ts';

/** Start-up data of a worker. */
export interface WorkerSetup {
  readonly models: LoadedModels;
  readonly limits: ImageLimits | undefined;
}

/** An image that can be sent; a URL is sent as text. */
export type SentInput = Exclude<ImageInput, URL> | { readonly address: string };

/** Options of a task. The abort signal stays with the caller. */
export type TaskOptions = Omit<AnalyzeOptions, 'signal'>;

/** Images to analyze together; `open` waits until the models are open. */
export type WorkerRequest = 'open' | { readonly inputs: readonly SentInput[]; readonly options: TaskOptions };

/** Result of one image. */
export type TaskOutcome =
  | { readonly image: ImageSize; readonly faces: readonly AnalyzedFace[]; readonly error?: never }
  | { readonly error: SentError };

export interface RunOptions {
  readonly options: TaskOptions;
  readonly signal?: AbortSignal | undefined;
  /** Transfer encoded images instead of copying them; the caller can no longer use them. @default false */
  readonly transfer?: boolean;
}

type WorkerThread = Thread<WorkerRequest, readonly TaskOutcome[]>;

/** A task that no thread has taken yet. */
interface Waiting {
  start(thread: WorkerThread): void;
  reject(error: unknown): void;
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
  { model, detector, engine }: LoadedModels,
  { workers, threads = 1 }: { readonly workers?: number | undefined; readonly threads?: number | undefined },
): number {
  if (engine.device !== undefined) return 1; // several sessions would only share the device
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
  readonly #threads: WorkerThread[] = [];
  readonly #waiting: Waiting[] = [];
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
    const assigned = this.#threads.reduce((sum, { pending }) => sum + pending, 0);
    return Math.max(0, tasksAtOnce * this.count - assigned - this.#waiting.length);
  }

  /** Number of idle threads, including threads not started yet. */
  get idle(): number {
    return this.count - this.#threads.filter(({ pending }) => pending > 0).length;
  }

  /**
   * Starts threads and waits until they have opened their models.
   *
   * @throws {ModelError} if the runtime cannot open a model
   */
  async start(count: number = this.count): Promise<void> {
    while (this.#threads.length < Math.min(count, this.count)) this.#startThread();
    await Promise.all(this.#threads.map((thread) => thread.call('open')));
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
    return new Promise<readonly TaskOutcome[]>((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(signal!.reason);
      };
      const waiting: Waiting = {
        start: (thread) => {
          signal?.removeEventListener('abort', leave);
          const sent = inputs.map(sentInput);
          const moved = transfer ? sent.flatMap((input) => (input instanceof Uint8Array ? [input.buffer] : [])) : [];
          resolve(thread.call({ inputs: sent, options }, { signal, transfer: moved as ArrayBuffer[] }));
        },
        reject,
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiting.push(waiting);
      this.#dispatch();
    });
  }

  /**
   * Rejects unfinished tasks with the reason at once, and resolves when the threads have stopped working on them.
   *
   * @param reason - error for unfinished tasks
   */
  async close(reason: unknown = disposed()): Promise<void> {
    this.#closed ??= reason;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#closed);
    await Promise.all(this.#threads.splice(0).map((thread) => thread.close(this.#closed)));
    this.#end(undefined);
  }

  /** Gives waiting tasks to the thread with the fewest tasks. Starts another thread if none is idle. */
  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const least = Math.min(...this.#threads.map(({ pending }) => pending), Number.POSITIVE_INFINITY);
      if (least > 0 && this.#threads.length < this.count) {
        this.#startThread();
        continue;
      }
      if (least >= tasksAtOnce) return;
      this.#waiting.shift()!.start(this.#threads.find(({ pending }) => pending === least)!);
    }
  }

  #startThread(): void {
    const thread: WorkerThread = new Thread(import.meta.url, './worker.js', {
      setup: this.#setup,
      onAnswer: () => this.#dispatch(),
      onEnd: (error) => {
        // The thread's tasks have failed; later tasks start a new thread.
        this.#threads.splice(this.#threads.indexOf(thread), 1);
        this.#end(error);
        this.#dispatch();
      },
    });
    this.#threads.push(thread);
  }
}

function sentInput(input: ImageInput): SentInput {
  if (input instanceof URL) return { address: input.href };
  if (input instanceof Uint8Array) return ownMemory(input);
  if (typeof input !== 'object' || !ArrayBuffer.isView(input.data)) return input;
  return { ...input, data: ownMemory(input.data) };
}

/** @returns the same values in a buffer of their own, because a message copies the whole buffer behind a view */
export function ownMemory<Values extends Uint8Array | Uint8ClampedArray | Float32Array>(values: Values): Values {
  return values.byteLength === values.buffer.byteLength ? values : (values.slice() as Values);
}
