/** Recent time per image, to tell clients when to retry. */

/** Number of batches kept. */
const remembered = 15;

/** Seconds until measured. */
const assumed = 0.1;

export class Pace {
  /** Seconds per image of each batch, latest last. */
  readonly #batches: number[] = [];
  readonly #longest: number;

  /** @param longest - seconds after which clients give up: no queue lasts longer */
  constructor(longest: number) {
    this.#longest = longest;
  }

  batch(images: number, seconds: number): void {
    this.#batches.push(seconds / images);
    if (this.#batches.length > remembered) this.#batches.shift();
  }

  /** Uses the median, so that a huge photo or the first batch after a cold start has no effect. @returns whole seconds, at least 1 */
  secondsFor(images: number): number {
    const sorted = this.#batches.toSorted((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)] ?? assumed;
    return Math.max(1, Math.min(Math.ceil(images * median), Math.floor(this.#longest)));
  }
}
