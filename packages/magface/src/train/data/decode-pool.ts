/** Threads that decode training faces while libtorch computes; without any, the calling thread decodes. */
import { MagfaceError } from '../../errors.ts';
import { Thread } from '../../machine/thread.ts';
import { type DecodeFailure, type DecodeRequest, type ImageRequest, SampleDecoder } from './decode-sample.ts';

export class DecodePool {
  readonly #threads: readonly Thread<DecodeRequest, readonly DecodeFailure[]>[];
  /** Used if there are no threads. */
  readonly #decoder = new SampleDecoder();

  constructor(workers: number) {
    this.#threads = Array.from({ length: workers }, () => new Thread(import.meta.url, './loader-worker.js'));
  }

  /** @param slot - (N, 112, 112, 3) uint8, filled with BGR @returns the images that could not be read */
  async decode(slot: SharedArrayBuffer, images: readonly ImageRequest[]): Promise<readonly DecodeFailure[]> {
    if (this.#threads.length === 0) return this.#decoder.decode({ slot, images });
    const share = Math.ceil(images.length / this.#threads.length);
    const failures = this.#threads.map(async (thread, i) => {
      const own = images.slice(i * share, (i + 1) * share);
      return own.length === 0 ? [] : thread.call({ slot, images: own });
    });
    return (await Promise.all(failures)).flat();
  }

  async close(): Promise<void> {
    const reason = new MagfaceError('loader_closed', {
      expected: 'an open loader',
      problem: 'it was closed',
      remedy: 'close it after the last batch',
    });
    await Promise.all(this.#threads.map((thread) => thread.close(reason)));
    this.#decoder.close();
  }
}
