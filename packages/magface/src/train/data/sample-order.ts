/**
 * The order of samples and their mirroring: pure functions of (seed, epoch, index), regardless of the number of workers
 * or ranks, so that a resumed run sees the same as an uninterrupted one.
 */
import { ConfigError } from '../../errors.ts';

/** @returns whole batches in an epoch; an incomplete one is dropped @throws {ConfigError} if there is not even one */
export function stepsPerEpoch(batchSize: number, samples: number): number {
  if (batchSize <= samples) return Math.floor(samples / batchSize);
  const message = `Expected a batch size of at most ${samples}, the number of training images, but received ${batchSize}: lower --batch-size.`;
  throw new ConfigError('batch-size', message);
}

/** The finaliser of MurmurHash3: every bit of the result depends on every bit of `h`. */
function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** 32 pseudorandom bits determined by the arguments. */
export function hash(...parts: readonly number[]): number {
  return parts.reduce((h, part) => mix((Math.imul(h, 0x9e3779b1) + part + 0x7f4a7c15) | 0), 0);
}

/** @returns the samples 0..count-1 in the order of this epoch (Fisher-Yates). */
export function epochOrder(seed: number, epoch: number, count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor((hash(seed, epoch, i, 1) / 2 ** 32) * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** Whether sample `index` is mirrored left to right in this epoch; on average half are. */
export function isFlipped(seed: number, epoch: number, index: number): boolean {
  return (hash(seed, epoch, index, 2) & 1) === 1;
}
