/**
 * The queue before the inference thread: bounded, and what waits in it at the same moment goes through the networks
 * together. A full batch is laid ready at the thread while it works on another, so that it never waits for work there is.
 * Waiting costs no thread and no more memory than the images' own bytes.
 */
import { Worker } from 'node:worker_threads';
import { ImageError, type ImageErrorCode, ModelError, type ModelErrorCode, ServiceError } from '../errors.ts';
import type {
  AnalyzeRequest,
  BatchMessage,
  EngineMessage,
  EngineModels,
  EngineSetup,
  SentError,
  ServedImage,
} from './engine-messages.ts';
import { Pace } from './pace.ts';

export interface EngineOptions extends EngineSetup {
  /** Most images that wait; the next is refused. @default 64 */
  readonly queue?: number;
  /** Most images that share a batch. @default 16 */
  readonly batch?: number;
  /** Seconds after which whoever waits gives up. @default 30 */
  readonly timeout?: number;
  /** Told of each batch when it is done: for measuring. */
  readonly onBatch?: (images: number, seconds: number) => void;
}

/** What the service needs of inference; tests bring their own. */
export interface Engine {
  readonly models: EngineModels;
  /** Images that wait. */
  readonly waiting: number;
  /** Resolves when inference has ended, with an error when that was not by `close`. */
  readonly ended: Promise<Error | undefined>;
  /**
   * @param image - a whole encoded file; its memory is moved to the thread
   * @throws {ImageError} when the image cannot be used, named `name`
   * @throws {ServiceError} `busy` when the queue is full, `engine_failed`
   * @throws {Error} of no class of ours when inference has a defect
   */
  analyze(image: Uint8Array, request: AnalyzeRequest, options: AnalyzeOptions): Promise<ServedImage>;
  /** @throws {ServiceError} `busy` when so many images do not fit into the queue: asked before any of them is sent */
  expectRoom(images: number): void;
  close(): Promise<void>;
}

export interface AnalyzeOptions {
  /** The image as the client calls it. */
  readonly name: string;
  /** An image that nobody waits for any more leaves the queue. */
  readonly signal: AbortSignal;
}

interface Waiting extends AnalyzeOptions {
  readonly image: Uint8Array;
  readonly request: AnalyzeRequest;
  readonly resolve: (image: ServedImage) => void;
  readonly reject: (error: unknown) => void;
}

/** What the thread was handed together. */
interface Batch {
  readonly images: readonly Waiting[];
  /** When the thread came to it, in milliseconds. */
  since: number;
}

/** @throws {ModelError} when a model cannot be had */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { queue = 64, batch = 16, timeout = 30, onBatch, ...setup } = options;
  const thread = startThread(setup);
  const models = await firstWord(thread);
  return new ThreadEngine(thread, models, { queue, batch, timeout, onBatch: onBatch ?? (() => undefined) });
}

function startThread(setup: EngineSetup): Worker {
  // From source (tests) the compiled worker serves: a thread has no loader for TypeScript.
  const file = import.meta.url.endsWith('.ts') ? '../../dist/serve/engine-worker.js' : './engine-worker.js';
  return new Worker(new URL(file, import.meta.url), { workerData: setup, execArgv: [] });
}

function firstWord(thread: Worker): Promise<EngineModels> {
  return new Promise((resolve, reject) => {
    thread.once('error', reject);
    thread.once('message', (message: EngineMessage) => {
      thread.off('error', reject);
      if (message.type === 'ready') resolve(message.models);
      else if (message.type === 'failed') reject(received(message.error, message.error.name));
    });
  });
}

type EngineLimits = Required<Pick<EngineOptions, 'queue' | 'batch' | 'timeout' | 'onBatch'>>;

class ThreadEngine implements Engine {
  readonly models: EngineModels;
  readonly ended: Promise<Error | undefined>;
  readonly #thread: Worker;
  readonly #limits: EngineLimits;
  #queue: Waiting[] = [];
  /** At the thread: the one it works on, and at most one more that lies ready. */
  readonly #handed: Batch[] = [];
  readonly #pace: Pace;
  #failure: ServiceError | undefined;

  constructor(thread: Worker, models: EngineModels, limits: EngineLimits) {
    this.#thread = thread;
    this.models = models;
    this.#limits = limits;
    this.#pace = new Pace(limits.timeout);
    thread.on('message', (message: EngineMessage) => this.#hear(message));
    this.ended = new Promise((resolve) => {
      thread.once('error', (error) => this.#fail(error, resolve));
      thread.once('exit', () => this.#fail(undefined, resolve));
    });
  }

  get waiting(): number {
    return this.#queue.length;
  }

  analyze(image: Uint8Array, request: AnalyzeRequest, { name, signal }: AnalyzeOptions): Promise<ServedImage> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (signal.aborted) return Promise.reject(signal.reason);
    if (!this.#hasRoom(1)) return Promise.reject(this.#busy());
    return new Promise<ServedImage>((resolve, reject) => {
      const waiting = { image, request, name, signal, resolve, reject };
      waiting.signal.addEventListener('abort', () => this.#leave(waiting), { once: true });
      this.#queue.push(waiting);
      // What arrives in this turn of the event loop is let in before the batch is closed.
      setImmediate(() => this.#next());
    });
  }

  expectRoom(images: number): void {
    if (this.#failure === undefined && !this.#hasRoom(images)) throw this.#busy();
  }

  async close(): Promise<void> {
    this.#failure ??= new ServiceError('engine_failed', 'Expected a running service but it is being stopped.');
    await this.#thread.terminate();
  }

  #hasRoom(images: number): boolean {
    return this.#queue.length + images <= this.#limits.queue;
  }

  /** Nobody waits for it any more: it is not computed, unless that has begun. */
  #leave(waiting: Waiting): void {
    this.#queue = this.#queue.filter((other) => other !== waiting);
    waiting.reject(waiting.signal.reason);
  }

  /**
   * Hands the thread what waits and is asked for alike with the first, up to the batch's size. While the thread works only
   * a full batch is handed over: others may still join a smaller one.
   */
  #next(): void {
    const [first] = this.#queue;
    if (first === undefined || this.#handed.length > 1) return;
    const alike = ({ request }: Waiting): boolean =>
      request.aligned === first.request.aligned &&
      request.minScore === first.request.minScore &&
      request.maxFaces === first.request.maxFaces;
    const images = this.#queue.filter(alike).slice(0, this.#limits.batch);
    if (this.#handed.length === 1 && images.length < this.#limits.batch) return;
    this.#queue = this.#queue.filter((waiting) => !images.includes(waiting));
    this.#handed.push({ images, since: performance.now() });
    const message: BatchMessage = { images: images.map(({ image }) => image), request: first.request };
    this.#thread.postMessage(
      message,
      images.map(({ image }) => image.buffer as ArrayBuffer),
    );
    this.#next();
  }

  #hear(message: EngineMessage): void {
    const [batch] = this.#handed;
    if (batch === undefined || message.type === 'ready') return;
    // The thread first: answering takes its time.
    if (message.type === 'failed' || message.done) this.#finish(batch);
    if (message.type === 'failed') {
      for (const { reject, name } of batch.images) reject(received(message.error, name));
      return;
    }
    for (const { index, outcome } of message.images) {
      const { name, resolve, reject } = batch.images[index]!;
      if ('error' in outcome) reject(received(outcome.error, name));
      else resolve(outcome);
    }
  }

  #finish({ images, since }: Batch): void {
    const now = performance.now();
    const seconds = (now - since) / 1000;
    this.#handed.shift();
    for (const batch of this.#handed) batch.since = now;
    this.#next();
    this.#pace.batch(images.length, seconds);
    this.#limits.onBatch(images.length, seconds);
  }

  #busy(): ServiceError {
    const retryAfter = this.#pace.secondsFor(this.#queue.length);
    const message = `Expected room in the queue of ${this.#limits.queue} images but ${this.#queue.length} wait already: try again in ${retryAfter} s.`;
    return new ServiceError('busy', message, { retryAfter });
  }

  #fail(cause: Error | undefined, ended: (error: Error | undefined) => void): void {
    const words = 'Expected inference to go on but its thread ended';
    const closed = this.#failure !== undefined;
    this.#failure ??= new ServiceError('engine_failed', `${words}: try again later.`);
    for (const { reject } of [...this.#handed.flatMap(({ images }) => images), ...this.#queue.splice(0)])
      reject(this.#failure);
    // Why is for who runs the service, not for clients.
    const why = new ServiceError('engine_failed', `${words}${cause ? `: ${cause.message}` : ''}.`, { cause });
    ended(closed ? undefined : why);
  }
}

/**
 * The error as this thread has it, with the client's name for the image. A defect stays one: it is logged, and clients
 * are told none of its words.
 */
function received({ name, code, message, stack }: SentError, image: string): Error {
  if (code === 'unexpected') return Object.assign(new Error(message), { stack });
  const text = message.replaceAll(/the image of \d+ bytes/g, image);
  if (name === 'ImageError') return new ImageError(code as ImageErrorCode, image, text);
  if (name === 'ModelError') return new ModelError(code as ModelErrorCode, image, text);
  return new ServiceError('engine_failed', `Expected faces but inference failed: ${text}`);
}
