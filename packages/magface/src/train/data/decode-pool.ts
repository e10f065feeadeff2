/** Threads that decode training faces while libtorch computes; without any, the calling thread decodes. */
import { Worker } from 'node:worker_threads';
import { MagfaceError } from '../../errors.ts';
import { type DecodeReply, type DecodeRequest, SampleDecoder } from './decode-sample.ts';

export class DecodePool {
  readonly #lanes: readonly Lane[];
  /** Used if there are no lanes. */
  readonly #decoder = new SampleDecoder();

  constructor(workers: number) {
    this.#lanes = Array.from({ length: workers }, () => new Lane());
  }

  /** @param slot - (N, 112, 112, 3) uint8, filled with BGR @returns the images that could not be read */
  async decode(slot: SharedArrayBuffer, images: DecodeRequest['images']): Promise<DecodeReply['failures']> {
    if (this.#lanes.length === 0) return (await this.#decoder.decode({ id: 0, slot, images })).failures;
    const share = Math.ceil(images.length / this.#lanes.length);
    const replies = await Promise.all(
      this.#lanes.map((lane, i) => lane.decode(slot, images.slice(i * share, (i + 1) * share))),
    );
    return replies.flatMap(({ failures }) => failures);
  }

  async close(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.close()));
    this.#decoder.close();
  }
}

/** One worker and the requests that wait for it. */
class Lane {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve(reply: DecodeReply): void; reject(error: unknown): void }>();
  /** One int32; nonzero once the waiting images are no longer needed. */
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

  /** Waits for the current image: ending a thread within native code would end the process. */
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
