/**
 * The queue before the worker threads of inference: bounded; aligned faces that wait at the same time share a
 * batch. Each photo is a separate task, so that threads work in parallel. The next task is sent to a thread while it
 * works, so that it never idles. Waiting images use no thread and only the memory of their bytes.
 */
import { firstLine, ImageError, MagfaceError, ModelError, ServiceError } from '../errors.ts';
import { type LoadOptions, loadModels } from '../infer/node/magface.ts';
import { type TaskOutcome, Workers, workerCount } from '../infer/node/workers.ts';
import { receivedError } from '../sent-error.ts';
import type { AnalyzeRequest, ServedImage, ServedModels } from './analyze-request.ts';
import { Pace } from './pace.ts';

/** Options for starting the threads. */
export type QueueSetup = Pick<
  LoadOptions,
  'model' | 'detector' | 'engine' | 'device' | 'workers' | 'threads' | 'offline' | 'cacheDir' | 'limits' | 'batchSize'
>;

export interface QueueOptions extends QueueSetup {
  /** Maximum images waiting; more are refused. @default 64 */
  readonly queue?: number;
  /** Maximum aligned faces per batch. @default 16 */
  readonly batch?: number;
  /** Seconds after which waiting ends. @default 30 */
  readonly timeout?: number;
  /** Called after each batch, for metrics. */
  readonly onBatch?: (images: number, seconds: number) => void;
}

/** Inference as the service uses it; tests use their own. */
export interface InferenceQueue {
  readonly models: ServedModels;
  /** Images that wait. */
  readonly waiting: number;
  /** Resolves when inference ends, with an error if not ended by `close`. */
  readonly ended: Promise<Error | undefined>;
  /**
   * @param image - an encoded file; its memory is moved to a thread
   * @throws {ImageError} if the image is unusable, named `name`
   * @throws {ServiceError} `busy` if the queue is full, `engine_failed`
   * @throws {Error} not a MagfaceError, if inference has a defect
   */
  analyze(image: Uint8Array, request: AnalyzeRequest, options: TaskOptions): Promise<ServedImage>;
  /** @throws {ServiceError} `busy` if so many images do not fit into the queue; call before sending any */
  expectRoom(images: number): void;
  close(): Promise<void>;
}

export interface TaskOptions {
  /** The client's name for the image. */
  readonly name: string;
  /** Aborting it removes the image from the queue. */
  readonly signal: AbortSignal;
}

interface Waiting extends TaskOptions {
  readonly image: Uint8Array;
  readonly request: AnalyzeRequest;
  readonly resolve: (image: ServedImage) => void;
  readonly reject: (error: unknown) => void;
}

/** @throws {ModelError} if a model cannot load */
export async function openQueue(options: QueueOptions): Promise<InferenceQueue> {
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
  return new WorkerQueue(workers, told, { queue, batch, timeout, onBatch });
}

function withoutBytes<Model extends { readonly bytes: Uint8Array }>({
  bytes: _,
  ...told
}: Model): Omit<Model, 'bytes'> {
  return told;
}

type QueueLimits = Required<Pick<QueueOptions, 'queue' | 'batch' | 'timeout' | 'onBatch'>>;

class WorkerQueue implements InferenceQueue {
  readonly models: ServedModels;
  readonly ended: Promise<Error | undefined>;
  readonly #workers: Workers;
  readonly #limits: QueueLimits;
  #queue: Waiting[] = [];
  readonly #pace: Pace;
  #failure: ServiceError | undefined;

  constructor(workers: Workers, models: ServedModels, limits: QueueLimits) {
    this.#workers = workers;
    this.models = models;
    this.#limits = limits;
    this.#pace = new Pace(limits.timeout);
    this.ended = workers.ended.then((cause) => this.#fail(cause));
  }

  get waiting(): number {
    return this.#queue.length;
  }

  analyze(image: Uint8Array, request: AnalyzeRequest, { name, signal }: TaskOptions): Promise<ServedImage> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (signal.aborted) return Promise.reject(signal.reason);
    if (!this.#hasRoom(1)) return Promise.reject(this.#busy());
    return new Promise<ServedImage>((resolve, reject) => {
      const waiting = { image, request, name, signal, resolve, reject };
      waiting.signal.addEventListener('abort', () => this.#leave(waiting), { once: true });
      this.#queue.push(waiting);
      // Images that arrive in this turn of the event loop join the batch.
      setImmediate(() => this.#next());
    });
  }

  expectRoom(images: number): void {
    if (this.#failure === undefined && !this.#hasRoom(images)) throw this.#busy();
  }

  async close(): Promise<void> {
    this.#failure ??= new ServiceError('engine_failed', {
      expected: 'a running service',
      problem: 'it is stopping',
      remedy: 'try again later',
    });
    for (const { reject } of this.#queue.splice(0)) reject(this.#failure);
    await this.#workers.close(this.#failure);
  }

  #hasRoom(images: number): boolean {
    return this.#queue.length + images <= this.#limits.queue;
  }

  /** Drops a task that nobody waits for, unless it has started. */
  #leave(waiting: Waiting): void {
    this.#queue = this.#queue.filter((other) => other !== waiting);
    waiting.reject(waiting.signal.reason);
  }

  /**
   * Sends a thread the waiting images with the same options as the first, up to a full batch. If all threads are busy,
   * only a full batch is sent: others may still join a smaller one.
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
    this.#next(); // feed the thread first: answering is slow
    if ('error' in outcomes)
      for (const { reject, name } of images) reject(this.#failure ?? received(outcomes.error, name));
    else for (const [i, outcome] of outcomes.entries()) settle(images[i]!, outcome);
    const seconds = (performance.now() - since) / 1000;
    this.#pace.batch(images.length * this.#workers.count, seconds);
    this.#limits.onBatch(images.length, seconds);
  }

  #busy(): ServiceError {
    const retryAfter = this.#pace.secondsFor(this.#queue.length);
    return new ServiceError(
      'busy',
      {
        expected: `room in the queue of ${this.#limits.queue} images`,
        problem: `${this.#queue.length} are already waiting`,
        remedy: `try again in ${retryAfter} s`,
      },
      { retryAfter },
    );
  }

  /** @returns the error for the operator, with more detail than clients see */
  #fail(cause: Error | undefined): Error | undefined {
    const closed = this.#failure !== undefined;
    const fault = { expected: 'inference to continue', problem: 'its thread ended', remedy: 'try again later' };
    this.#failure ??= new ServiceError('engine_failed', fault);
    for (const { reject } of this.#queue.splice(0)) reject(this.#failure);
    if (closed) return undefined;
    const why = cause?.cause instanceof Error ? ` (${firstLine(cause.cause)})` : '';
    const detailed = { ...fault, problem: `${fault.problem}${why}`, remedy: 'start the service again' };
    return new ServiceError('engine_failed', detailed, { cause });
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

/** The error with the client's name for the image. Defects are unchanged: they are logged, hidden from clients. */
function received(error: unknown, image: string): unknown {
  if (!(error instanceof MagfaceError)) return error;
  if (error instanceof ImageError) return error.named(image);
  if (error instanceof ModelError) return error;
  return new ServiceError('engine_failed', {
    expected: 'faces',
    problem: `inference failed (${firstLine(error)})`,
    remedy: 'try again later',
  });
}
