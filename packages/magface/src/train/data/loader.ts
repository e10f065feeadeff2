/** Batches of training faces, decoded ahead in worker threads while libtorch computes. */
import { cpus } from 'node:os';
import { ConfigError, MagfaceError } from '../../errors.ts';
import { type Rank, type Share, shareOfBatch } from '../parallel/shares.ts';
import { DecodePool } from './decode-pool.ts';
import { faceBytes, type ImageRequest } from './decode-sample.ts';
import { type AugmentKind, damagesOf } from './draw-damages.ts';
import { epochOrder, hash, isFlipped, type Sampling, sampler, stepsPerEpoch } from './sample-order.ts';
import type { Dataset, Sample } from './samples.ts';

/** One batch. */
export interface Batch {
  /** (N, 112, 112, 3) uint8, BGR; the slot is reused when the next batch is requested. */
  readonly faces: Uint8Array;
  /** (N) */
  readonly labels: BigInt64Array;
  /** (N): indices of these samples in the dataset. */
  readonly indices: Uint32Array;
}

/** How to form batches from a dataset. */
export interface LoaderOptions {
  /** N, a whole number above 0. `--batch-size` */
  readonly batchSize: number;
  /** Determines order and flips. */
  readonly seed: number;
  /** Threads that decode; 0 decodes in the calling thread. `--workers` @default one per core, at most 4 */
  readonly workers?: number;
  /** Whether to mirror half of the images. @default true */
  readonly flip?: boolean;
  /** Which samples an epoch draws. @default every image once */
  readonly sampling?: Sampling;
  /** Share of the images that are degraded, and how. @default none */
  readonly degrade?: DegradeOptions | undefined;
  /** This process's share of each batch, if several train together. @default all of it */
  readonly part?: Rank;
  /** Called once for each unreadable image. */
  readonly onUnreadable?: (path: string, reason: string) => void;
}

/** Damage to training images. */
export interface DegradeOptions {
  /** 0 to 1. */
  readonly share: number;
  /** Of the worst damage, 0 to 1; strengths are uniform up to it. */
  readonly strength: number;
  /** @default all that measure robustness */
  readonly kinds?: readonly AugmentKind[] | undefined;
}

/** Number of decoded batches kept ready, besides the one in use. */
const ahead = 2;
/** Maximum share of unreadable images before the run stops. */
const greatestLoss = 0.01;

/** Decodes a dataset batch by batch. Close it to end its threads: `await using loader = new Loader(...)`. */
export class Loader {
  readonly dataset: Dataset;
  /** Whole batches of an epoch; the remainder is dropped, as officially. */
  readonly stepsPerEpoch: number;
  readonly #options: LoaderOptions;
  /** This process's share of a batch. */
  readonly #share: Share;
  readonly #pool: DecodePool;
  readonly #slots: readonly SharedArrayBuffer[];
  readonly #unreadable = new Set<string>();
  readonly #order: (seed: number, epoch: number) => Uint32Array;

  /** @throws {ConfigError} if the batch size is not a whole number above 0, exceeds the dataset, or is below the number of processes */
  constructor(dataset: Dataset, options: LoaderOptions) {
    const { batchSize } = options;
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new ConfigError('batch-size', {
        expected: 'a whole number above 0 as batch size',
        received: String(batchSize),
        remedy: 'change --batch-size',
      });
    }
    this.stepsPerEpoch = stepsPerEpoch(batchSize, dataset.samples.length);
    this.#share = shareOfBatch(batchSize, options.part ?? { rank: 0, size: 1 });
    this.dataset = dataset;
    this.#options = options;
    this.#order = orderOf(dataset, options.sampling);
    this.#pool = new DecodePool(options.workers ?? Math.min(4, cpus().length));
    this.#slots = Array.from({ length: ahead + 1 }, () => new SharedArrayBuffer(this.#share.count * faceBytes));
  }

  /** Number of unreadable images so far. */
  get unreadable(): number {
    return this.#unreadable.size;
  }

  /** The batches of an epoch, starting at the given step. */
  async *batches(epoch: number, fromStep = 0): AsyncGenerator<Batch> {
    const order = this.#order(this.#options.seed, epoch);
    const pending: Promise<Batch>[] = [];
    let next = fromStep;
    for (let step = fromStep; step < this.stepsPerEpoch; step++) {
      while (pending.length <= ahead && next < this.stepsPerEpoch) {
        const batch = this.#load(epoch, order, next++);
        batch.catch(() => {}); // the error is thrown when the batch is awaited
        pending.push(batch);
      }
      yield await pending.shift()!;
    }
  }

  /**
   * Reads every image once.
   * @returns the unusable ones, with the reason
   */
  async verify(onProgress?: (done: number) => void): Promise<{ path: string; reason: string }[]> {
    const { samples } = this.dataset;
    const found: { path: string; reason: string }[] = [];
    for (let start = 0; start < samples.length; start += this.#options.batchSize) {
      const count = Math.min(this.#options.batchSize, samples.length - start);
      const images = Array.from({ length: count }, (_, position) => this.#request(start + position, position, false));
      for (const { position, reason } of await this.#pool.decode(this.#slots[0]!, images)) {
        found.push({ path: this.#sample(start + position).path, reason });
      }
      onProgress?.(start + count);
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.close();
  }

  #sample(index: number): Sample {
    return this.dataset.samples.at(index)!;
  }

  #request(index: number, position: number, flipped: boolean, damages: ImageRequest['damages'] = []): ImageRequest {
    const { path, within } = this.#sample(index);
    return { position, path, within, flipped, damages };
  }

  /** @param place - in the epoch: an image that is drawn twice differs */
  #damages(epoch: number, index: number, place: number): ImageRequest['damages'] {
    const { degrade, seed } = this.#options;
    if (degrade === undefined || hash(seed, epoch, place, 6) / 2 ** 32 >= degrade.share) return [];
    const own = hash(seed, epoch, index, place);
    return damagesOf((purpose) => hash(own, purpose), degrade);
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
        const flipped = flip && isFlipped(seed, epoch, index);
        return this.#request(index, position, flipped, this.#damages(epoch, index, start + position));
      });
      const failures = await this.#pool.decode(slot, images);
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
    throw new MagfaceError('too_many_unreadable', {
      expected: `at most 1 % of the ${total} training images to be unreadable`,
      problem: `${this.#unreadable.size} are, the last ${path} (${reason})`,
      remedy: 'repair or remove them; --verify-data lists all',
    });
  }
}

/** Every sample once in a random order, unless the sampling asks for another. */
function orderOf(
  { samples, sets = [0] }: Dataset,
  sampling: Sampling = {},
): (seed: number, epoch: number) => Uint32Array {
  const { by = 'images', setWeights } = sampling;
  if (setWeights !== undefined && setWeights.length !== sets.length) {
    throw new ConfigError('set-weights', {
      expected: `a weight for each of the ${sets.length} sets of --train-list`,
      received: setWeights.length,
      remedy: 'pass one number a set',
    });
  }
  if (by === 'images' && setWeights === undefined) return (seed, epoch) => epochOrder(seed, epoch, samples.length);
  return sampler({ labels: Uint32Array.from(samples, ({ label }) => label), sets }, sampling);
}
