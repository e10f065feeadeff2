/** Batches of training faces, decoded ahead in worker threads while libtorch computes. */
import { cpus } from 'node:os';
import { Worker } from 'node:worker_threads';
import { ConfigError, MagfaceError } from '../../errors.ts';
import { type Rank, type Share, shareOf } from '../parallel/shares.ts';
import { type DecodeReply, type DecodeRequest, faceBytes, type ImageRequest, SampleDecoder } from './decode-sample.ts';
import { epochOrder, hash, isFlipped } from './sample-order.ts';
import type { Dataset, Sample } from './samples.ts';

/** One batch. */
export interface Batch {
  /** (N, 112, 112, 3) uint8, BGR; the slot is used again once the next batch is asked for. */
  readonly faces: Uint8Array;
  /** (N) */
  readonly labels: BigInt64Array;
  /** (N) which samples of the dataset these are. */
  readonly indices: Uint32Array;
}

/** How a dataset becomes batches. */
export interface LoaderOptions {
  /** N, a whole number above 0. `--batch-size` */
  readonly batchSize: number;
  /** Determines order and flips. */
  readonly seed: number;
  /** Threads that decode; 0 decodes in this one. `--workers` @default one for each core, at most 4 */
  readonly workers?: number;
  /** Whether half of the images are mirrored. @default true */
  readonly flip?: boolean;
  /** Which share of each batch this process decodes, when several train together. @default all of it */
  readonly part?: Rank;
  /** Told of each image that cannot be read, once. */
  readonly onUnreadable?: (path: string, reason: string) => void;
}

/** Batches that wait decoded, beside the one in use. */
const ahead = 2;
/** More unreadable images than this share of the set stop the run. */
const greatestLoss = 0.01;

/** Decodes a dataset batch by batch. Close it to end its threads: `await using loader = new Loader(...)`. */
export class Loader {
  readonly dataset: Dataset;
  /** Whole batches of an epoch; what is left over is dropped, as officially. */
  readonly stepsPerEpoch: number;
  readonly #options: LoaderOptions;
  /** Of a batch. */
  readonly #share: Share;
  readonly #lanes: readonly Lane[];
  /** For want of lanes. */
  readonly #decoder = new SampleDecoder();
  readonly #slots: readonly SharedArrayBuffer[];
  readonly #unreadable = new Set<string>();

  /** @throws {ConfigError} when the batch size is no whole number above 0, more than the dataset has, or less than the processes */
  constructor(dataset: Dataset, options: LoaderOptions) {
    const { batchSize } = options;
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new ConfigError('batch-size', `Expected a whole number above 0 as batch size but received ${batchSize}.`);
    }
    this.stepsPerEpoch = Math.floor(dataset.samples.length / batchSize);
    if (this.stepsPerEpoch === 0) {
      throw new ConfigError(
        'batch-size',
        `Expected a batch size of at most the ${dataset.samples.length} training images but received ${batchSize}.`,
      );
    }
    this.#share = shareOf(batchSize, options.part ?? { rank: 0, size: 1 });
    if (this.#share.count === 0) {
      throw new ConfigError(
        'batch-size',
        `Expected a batch of at least one sample for each of the ${options.part?.size} processes but received ${batchSize}.`,
      );
    }
    this.dataset = dataset;
    this.#options = options;
    this.#lanes = Array.from({ length: options.workers ?? Math.min(4, cpus().length) }, () => new Lane());
    this.#slots = Array.from({ length: ahead + 1 }, () => new SharedArrayBuffer(this.#share.count * faceBytes));
  }

  /** How many images could not be read so far. */
  get unreadable(): number {
    return this.#unreadable.size;
  }

  /** The batches of an epoch, from one of them on. */
  async *batches(epoch: number, fromStep = 0): AsyncGenerator<Batch> {
    const order = epochOrder(this.#options.seed, epoch, this.dataset.samples.length);
    const pending: Promise<Batch>[] = [];
    let next = fromStep;
    for (let step = fromStep; step < this.stepsPerEpoch; step++) {
      while (pending.length <= ahead && next < this.stepsPerEpoch) {
        const batch = this.#load(epoch, order, next++);
        batch.catch(() => {}); // the error is met when its turn comes
        pending.push(batch);
      }
      yield await pending.shift()!;
    }
  }

  /**
   * Reads every image once.
   * @returns those that cannot be used, with the reason
   */
  async verify(onProgress?: (done: number) => void): Promise<{ path: string; reason: string }[]> {
    const { samples } = this.dataset;
    const found: { path: string; reason: string }[] = [];
    for (let start = 0; start < samples.length; start += this.#options.batchSize) {
      const count = Math.min(this.#options.batchSize, samples.length - start);
      const images = Array.from({ length: count }, (_, position) => this.#request(start + position, position, false));
      for (const { position, reason } of await this.#decode(this.#slots[0]!, images)) {
        found.push({ path: this.#sample(start + position).path, reason });
      }
      onProgress?.(start + count);
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.close()));
    this.#decoder.close();
  }

  #sample(index: number): Sample {
    return this.dataset.samples.at(index)!;
  }

  #request(index: number, position: number, flipped: boolean): ImageRequest {
    const { path, within } = this.#sample(index);
    return { position, path, within, flipped };
  }

  async #load(epoch: number, order: Uint32Array, step: number): Promise<Batch> {
    const { batchSize, seed, flip = true } = this.#options;
    const slot = this.#slots[step % this.#slots.length]!;
    const start = step * batchSize + this.#share.first;
    const indices = order.slice(start, start + this.#share.count);
    let wanted = [...indices.keys()];
    for (let attempt = 1; wanted.length > 0; attempt++) {
      const images = wanted.map((position) => {
        const index = indices[position]!;
        return this.#request(index, position, flip && isFlipped(seed, epoch, index));
      });
      const failures = await this.#decode(slot, images);
      for (const { position, reason } of failures) {
        this.#report(this.#sample(indices[position]!).path, reason);
        indices[position] = hash(seed, epoch, indices[position]!, 2 + attempt) % this.dataset.samples.length;
      }
      wanted = failures.map(({ position }) => position);
    }
    const labels = BigInt64Array.from(indices, (index) => BigInt(this.#sample(index).label));
    return { faces: new Uint8Array(slot), labels, indices };
  }

  #report(path: string, reason: string): void {
    if (this.#unreadable.has(path)) return;
    this.#unreadable.add(path);
    this.#options.onUnreadable?.(path, reason);
    const total = this.dataset.samples.length;
    if (this.#unreadable.size <= greatestLoss * total) return;
    throw new MagfaceError(
      'too_many_unreadable',
      `Expected at most 1 % of the ${total} training images to be unreadable but ${this.#unreadable.size} are, the last ${path} (${reason}): mend or remove them; --verify-data lists all.`,
    );
  }

  async #decode(slot: SharedArrayBuffer, images: DecodeRequest['images']): Promise<DecodeReply['failures']> {
    if (this.#lanes.length === 0) return (await this.#decoder.decode({ id: 0, slot, images })).failures;
    const share = Math.ceil(images.length / this.#lanes.length);
    const replies = await Promise.all(
      this.#lanes.map((lane, i) => lane.decode(slot, images.slice(i * share, (i + 1) * share))),
    );
    return replies.flatMap(({ failures }) => failures);
  }
}

/** One worker and the requests that wait for it. */
class Lane {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve(reply: DecodeReply): void; reject(error: unknown): void }>();
  /** One int32; not 0 once the images that wait are no longer wanted. */
  readonly #stop = new SharedArrayBuffer(4);
  #next = 0;
  #isClosed = false;
  /** Settles when all requests so far are answered. */
  #replies: Promise<void> = Promise.resolve();

  constructor() {
    // From source (tests) the compiled worker serves: a thread has no loader for TypeScript.
    const file = import.meta.url.endsWith('.ts') ? '../../../dist/train/data/loader-worker.js' : './loader-worker.js';
    this.#worker = new Worker(new URL(file, import.meta.url));
    this.#worker.on('message', (reply: DecodeReply) => {
      const request = this.#waiting.get(reply.id);
      if (this.#isClosed) request?.reject(closedError());
      else request?.resolve(reply);
      this.#waiting.delete(reply.id);
      if (this.#waiting.size === 0) this.#worker.unref(); // an idle thread keeps no process alive, a busy one does
    });
    this.#worker.on('error', (error) => this.#giveUp(error));
    this.#worker.on('exit', () => this.#giveUp(closedError()));
    this.#worker.unref();
  }

  decode(slot: SharedArrayBuffer, images: DecodeRequest['images']): Promise<DecodeReply> {
    if (images.length === 0) return Promise.resolve({ id: -1, failures: [] });
    if (this.#isClosed) return Promise.reject(closedError());
    const id = this.#next++;
    this.#worker.ref();
    this.#worker.postMessage({ id, slot, images, stop: this.#stop } satisfies DecodeRequest);
    const reply = new Promise<DecodeReply>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#replies = Promise.allSettled([this.#replies, reply]).then(() => undefined);
    return reply;
  }

  #giveUp(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  /** The image in hand is decoded to its end: a thread that is ended within native code takes the process with it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#worker.ref(); // else the process may end before the thread has, and hide an error on its way
    Atomics.store(new Int32Array(this.#stop), 0, 1);
    await this.#replies;
    await this.#worker.terminate();
  }
}

const closedError = (): MagfaceError =>
  new MagfaceError('loader_closed', 'Expected a loader that is open but it was closed: read its batches first.');
