/**
 * ONNX Runtime's `run` blocks its thread. Sessions here live in worker threads instead, so that the caller's thread stays
 * free (to decode the next images, draw a progress bar, hear Ctrl-C), and several may run side by side.
 */
import { Worker } from 'node:worker_threads';
import { Tensor } from 'onnxruntime-common';
import { MagfaceError, ModelError } from '../../errors.ts';
import type { NamedTensors, Session } from '../session.ts';

/** What a worker needs to open its session. */
export interface SessionSetup {
  readonly bytes: Uint8Array;
  readonly name: string;
  readonly threads: number;
}

interface PlainTensor {
  readonly name: string;
  readonly data: Float32Array;
  readonly dims: readonly number[];
}
export interface RunRequest {
  readonly id: number;
  readonly feeds: readonly PlainTensor[];
  readonly fetches: readonly string[];
}
export type RunReply = { readonly id: number; readonly outputs?: readonly PlainTensor[]; readonly failure?: string };
type Greeting = { readonly ready?: Pick<Session, 'inputNames' | 'outputNames'>; readonly failed?: string };

export interface WorkerSessionOptions {
  /** The model as people call it, for errors. */
  readonly name: string;
  /** Threads in all, shared among the workers. */
  readonly threads: number;
  /** Sessions side by side, each with its own copy of the weights. */
  readonly workers: number;
}

/**
 * Opens a model in `workers` threads; a run goes to the one with the least to do.
 *
 * @param bytes - a whole ONNX file
 * @throws {ModelError} `model_not_onnx` when ONNX Runtime cannot read it
 */
export async function createWorkerSession(bytes: Uint8Array, options: WorkerSessionOptions): Promise<Session> {
  const { name } = options;
  const threads = Math.max(1, Math.floor(options.threads / options.workers));
  const shared = sharedCopy(bytes);
  const lanes = await openAll(Array.from({ length: options.workers }, () => new Lane({ bytes: shared, name, threads })));
  const { inputNames, outputNames } = lanes[0]!.greeting;
  return {
    inputNames,
    outputNames,
    run: (feeds, fetches) => lanes.reduce((a, b) => (b.waiting < a.waiting ? b : a)).run(feeds, fetches),
    release: async () => {
      await Promise.all(lanes.map((lane) => lane.close()));
    },
  };
}

/** All workers read one copy of the file. */
function sharedCopy(bytes: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
}

async function openAll(lanes: readonly Lane[]): Promise<readonly Lane[]> {
  const opened = await Promise.allSettled(lanes.map((lane) => lane.open()));
  const failed = opened.find((result) => result.status === 'rejected');
  if (failed === undefined) return lanes;
  await Promise.all(lanes.map((lane) => lane.close()));
  throw failed.reason;
}

/** One worker and the runs that wait for it. */
class Lane {
  greeting: Pick<Session, 'inputNames' | 'outputNames'> = { inputNames: [], outputNames: [] };
  readonly #setup: SessionSetup;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve(reply: RunReply): void; reject(error: unknown): void }>();
  #next = 0;

  constructor(setup: SessionSetup) {
    this.#setup = setup;
    this.#worker = new Worker(workerFile(), { workerData: setup });
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  async open(): Promise<void> {
    const greeting = await new Promise<Greeting>((resolve, reject) => {
      this.#worker.once('message', resolve).once('error', reject);
    });
    const { name } = this.#setup;
    if (greeting.ready === undefined) {
      throw new ModelError('model_not_onnx', name, `Expected an ONNX model but ONNX Runtime cannot load ${name}: ${greeting.failed}`);
    }
    this.greeting = greeting.ready;
    this.#worker.on('message', (reply: RunReply) => this.#settle(reply));
    this.#worker.on('error', (cause) => this.#giveUp(cause));
    this.#worker.on('exit', () => this.#giveUp());
    this.#worker.unref(); // an idle model keeps no process alive
  }

  async run(feeds: NamedTensors, fetches: readonly string[]): Promise<NamedTensors> {
    const id = this.#next++;
    const plain = Object.entries(feeds).map(([name, { data, dims }]) => ({ name, data: data as Float32Array, dims }));
    const reply = await new Promise<RunReply>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.ref();
      const request: RunRequest = { id, feeds: plain, fetches };
      this.#worker.postMessage(request, plain.map(({ data }) => data.buffer as ArrayBuffer));
    });
    if (reply.outputs === undefined) throw new Error(reply.failure);
    return Object.fromEntries(reply.outputs.map(({ name, data, dims }) => [name, new Tensor('float32', data, dims)]));
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #settle(reply: RunReply): void {
    this.#waiting.get(reply.id)?.resolve(reply);
    this.#waiting.delete(reply.id);
    if (this.#waiting.size === 0) this.#worker.unref();
  }

  #giveUp(cause?: Error): void {
    const error = new MagfaceError('session_closed', `The session of ${this.#setup.name} was closed while a face waited for it.`, { cause });
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** Node loads no TypeScript in workers: a run from the sources, as in the tests, uses the built file. */
function workerFile(): URL {
  const fromSource = import.meta.url.endsWith('.ts');
  return new URL(fromSource ? '../../../dist/infer/node/session-worker.js' : './session-worker.js', import.meta.url);
}
