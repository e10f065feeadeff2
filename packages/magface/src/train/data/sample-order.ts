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
  const parts = sets.map((first, set) => {
    const end = sets[set + 1] ?? count;
    return by === 'images' ? imagesWithin(first, end) : peopleWithin(labels, first, end);
  });
  const weights = parts.map((part, set) => setWeights?.[set] ?? part.length);
  const bounds = weights.map((_, set) => weights.slice(0, set + 1).reduce((a, b) => a + b));
  const share = (...of: readonly number[]): number => hash(...of) / 2 ** 32;
  return (seed, epoch) =>
    Uint32Array.from({ length: count }, (_, i) => {
      const at = share(seed, epoch, i, 3) * bounds.at(-1)!;
      const part = parts[bounds.findIndex((bound) => at < bound)]!;
      return part.draw(share(seed, epoch, i, 4), share(seed, epoch, i, 5));
    });
}

/** A set to draw from. */
interface Part {
  /** Number of its images, or of its people. */
  readonly length: number;
  /** @param first - share from 0 to 1 that chooses the image, or the person @param second - chooses the person's image */
  draw(first: number, second: number): number;
}

/** Needs no list, since a set may have millions of images. */
function imagesWithin(begin: number, end: number): Part {
  const length = end - begin;
  return { length, draw: (first) => begin + Math.floor(first * length) };
}

function peopleWithin(labels: ArrayLike<number>, begin: number, end: number): Part {
  const people = new Map<number, number[]>();
  for (let i = begin; i < end; i++) {
    const own = people.get(labels[i]!);
    if (own === undefined) people.set(labels[i]!, [i]);
    else own.push(i);
  }
  const groups = [...people.values()];
  const draw = (first: number, second: number): number => {
    const own = groups[Math.floor(first * groups.length)]!;
    return own[Math.floor(second * own.length)]!;
  };
  return { length: groups.length, draw };
}

/** Whether sample `index` is mirrored left to right in this epoch; on average half are. */
export function isFlipped(seed: number, epoch: number, index: number): boolean {
  return (hash(seed, epoch, index, 2) & 1) === 1;
}
