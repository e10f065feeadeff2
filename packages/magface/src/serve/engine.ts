/**
 * The queue before the worker threads of inference: bounded, and aligned faces that wait in it at the same moment go
 * through the network together. A photo is a task of its own, so that each thread works on another. What would be next is
 * laid ready at a thread while it works, so that it never waits for work there is. Waiting costs no thread and no more
 * memory than the images' own bytes.
 */
import { ImageError, MagfaceError, ModelError, ServiceError } from '../errors.ts';
import { type LoadOptions, loadModels } from '../infer/node/magface.ts';
import type { TaskOutcome } from '../infer/node/worker-messages.ts';
import { Workers, workerCount } from '../infer/node/workers.ts';
import { receivedError } from '../infer/sent-error.ts';
import type { AnalyzeRequest, EngineModels, ServedImage } from './engine-request.ts';
import { Pace } from './pace.ts';

/** What the threads are started with. */
export type EngineSetup = Pick<
  LoadOptions,
  'model' | 'detector' | 'engine' | 'workers' | 'threads' | 'offline' | 'cacheDir' | 'limits' | 'batchSize'
>;

export interface EngineOptions extends EngineSetup {
  /** Most images that wait; the next is refused. @default 64 */
  readonly queue?: number;
  /** Most aligned faces that share a batch. @default 16 */
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
   * @param image - a whole encoded file; its memory is moved to a thread
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

/** @throws {ModelError} when a model cannot be had */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { queue = 64, batch = 16, timeout = 30, onBatch = () => undefined, limits, threads = 1 } = options;
  const loaded = await loadModels(options);
  const { model, detector } = loaded;
  const models = { ...loaded, engine: { ...loaded.engine, threads } };
  const workers = new Workers({ models, limits }, workerCount(models, options));
  try {
    await workers.start();
  } catch (error) {
    await workers.close();
    throw error;
  }
  const told = { recogniser: withoutBytes(model), detector: detector && withoutBytes(detector) };
  return new QueuedEngine(workers, told, { queue, batch, timeout, onBatch });
}

function withoutBytes<Model extends { readonly bytes: Uint8Array }>({
  bytes: _,
  ...told
}: Model): Omit<Model, 'bytes'> {
  return told;
}

type EngineLimits = Required<Pick<EngineOptions, 'queue' | 'batch' | 'timeout' | 'onBatch'>>;

class QueuedEngine implements Engine {
  readonly models: EngineModels;
  readonly ended: Promise<Error | undefined>;
  readonly #workers: Workers;
  readonly #limits: EngineLimits;
  #queue: Waiting[] = [];
  readonly #pace: Pace;
  #failure: ServiceError | undefined;

  constructor(workers: Workers, models: EngineModels, limits: EngineLimits) {
    this.#workers = workers;
    this.models = models;
    this.#limits = limits;
    this.#pace = new Pace(limits.timeout);
    this.ended = workers.ended.then((cause) => this.#fail(cause));
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
    for (const { reject } of this.#queue.splice(0)) reject(this.#failure);
    await this.#workers.close(this.#failure);
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
   * Hands a thread what waits and is asked for alike with the first, up to the batch's size. While all threads work only a
   * full batch is handed over: others may still join a smaller one.
   */
  #next(): void {
    const [first] = this.#queue;
    if (first === undefined || this.#workers.free === 0) return;
    const alike = ({ request }: Waiting): boolean =>
      request.aligned === first.request.aligned &&
      request.minScore === first.request.minScore &&
      request.minFace === first.request.minFace &&
      request.maxFaces === first.request.maxFaces;
    const most = first.request.aligned ? this.#limits.batch : 1;
    const images = this.#queue.filter(alike).slice(0, most);
    if (this.#workers.idle === 0 && images.length < most) return;
    this.#queue = this.#queue.filter((waiting) => !images.includes(waiting));
    void this.#run(images, first.request);
    this.#next();
  }

  async #run(images: readonly Waiting[], request: AnalyzeRequest): Promise<void> {
    const since = performance.now();
    const outcomes = await this.#workers
      .run(
        images.map(({ image }) => image),
        { options: request, transfer: true },
      )
      .catch((error: unknown) => ({ error }));
    this.#next(); // the thread first: answering takes its time
    if ('error' in outcomes)
      for (const { reject, name } of images) reject(this.#failure ?? received(outcomes.error, name));
    else for (const [i, outcome] of outcomes.entries()) settle(images[i]!, outcome);
    const seconds = (performance.now() - since) / 1000;
    this.#pace.batch(images.length * this.#workers.count, seconds);
    this.#limits.onBatch(images.length, seconds);
  }

  #busy(): ServiceError {
    const retryAfter = this.#pace.secondsFor(this.#queue.length);
    const message = `Expected room in the queue of ${this.#limits.queue} images but ${this.#queue.length} wait already: try again in ${retryAfter} s.`;
    return new ServiceError('busy', message, { retryAfter });
  }

  /** @returns what to tell who runs the service, which is more than clients are told */
  #fail(cause: Error | undefined): Error | undefined {
    const closed = this.#failure !== undefined;
    const words = 'Expected inference to go on but its thread ended';
    this.#failure ??= new ServiceError('engine_failed', `${words}: try again later.`);
    for (const { reject } of this.#queue.splice(0)) reject(this.#failure);
    const why = cause?.cause instanceof Error ? `: ${cause.cause.message}` : '';
    return closed ? undefined : new ServiceError('engine_failed', `${words}${why}.`, { cause });
  }
}

function settle({ name, resolve, reject }: Waiting, outcome: TaskOutcome): void {
  if (outcome.error !== undefined) {
    reject(received(receivedError(outcome.error), name));
    return;
  }
  const faces = outcome.faces.map(({ crop: _, mouth: __, alignment: ___, ...face }) => face);
  resolve({ image: outcome.image, faces });
}

/** The error with the client's name for the image. A defect stays one: it is logged, and clients are told none of its words. */
function received(error: unknown, image: string): unknown {
  if (!(error instanceof MagfaceError)) return error;
  if (error instanceof ImageError) return error.named(image);
  if (error instanceof ModelError) return error;
  return new ServiceError('engine_failed', `Expected faces but inference failed: ${error.message}`);
}
