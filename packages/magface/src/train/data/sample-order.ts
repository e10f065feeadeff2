/**
 * The order of samples and their mirroring: pure functions of (seed, epoch, index), regardless of the number of workers
 * or ranks, so that a resumed run sees the same as an uninterrupted one.
 */
import { ConfigError } from '../../errors.ts';

/** @returns whole batches in an epoch; an incomplete one is dropped @throws {ConfigError} if there is not even one */
export function stepsPerEpoch(batchSize: number, samples: number): number {
  if (batchSize <= samples) return Math.floor(samples / batchSize);
  throw new ConfigError('batch-size', {
    expected: `a batch size of at most ${samples} (the number of training images)`,
    received: batchSize,
    remedy: 'lower --batch-size',
  });
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

/** Which samples an epoch draws. */
export interface Sampling {
  /** `images`: every image once. `people`: a person is drawn first, then one of the person's images. @default 'images' */
  readonly by?: 'images' | 'people';
  /** How often an image of each set is drawn, relative to the others; then images are drawn, so that some come twice. @default all come once */
  readonly setWeights?: readonly number[] | undefined;
}

/** The samples to draw from. */
export interface Drawn {
  /** (N) person of each sample. */
  readonly labels: ArrayLike<number>;
  /** First sample of each set, rising from 0. */
  readonly sets: readonly number[];
}

/**
 * Draws as many samples as there are, with replacement: a set by weight, in it an image or a person and one of the
 * person's images.
 *
 * @param setWeights - one number above 0 for each set. @default the number of its images, or of its people
 * @returns a function of (seed, epoch) to the samples in their order
 */
export function sampler(
  { labels, sets }: Drawn,
  { by = 'images', setWeights }: Sampling,
): (seed: number, epoch: number) => Uint32Array {
  const count = labels.length;
  const groups = sets.map((first, set) => groupsOf(labels, first, sets[set + 1] ?? count, by));
  const weights = groups.map((of, set) => setWeights?.[set] ?? of.length);
  const bounds = weights.map((_, set) => weights.slice(0, set + 1).reduce((a, b) => a + b));
  const share = (...parts: readonly number[]): number => hash(...parts) / 2 ** 32;
  return (seed, epoch) =>
    Uint32Array.from({ length: count }, (_, i) => {
      const at = share(seed, epoch, i, 3) * bounds.at(-1)!;
      const set = groups[bounds.findIndex((bound) => at < bound)]!;
      const group = set[Math.floor(share(seed, epoch, i, 4) * set.length)]!;
      return group[Math.floor(share(seed, epoch, i, 5) * group.length)]!;
    });
}

/** Each image alone, or the images of each person. */
function groupsOf(labels: ArrayLike<number>, from: number, to: number, by: 'images' | 'people'): number[][] {
  const groups = new Map<number, number[]>();
  for (let i = from; i < to; i++) {
    const key = by === 'images' ? i : labels[i]!;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [i]);
    else group.push(i);
  }
  return [...groups.values()];
}

/** Whether sample `index` is mirrored left to right in this epoch; on average half are. */
export function isFlipped(seed: number, epoch: number, index: number): boolean {
  return (hash(seed, epoch, index, 2) & 1) === 1;
}
