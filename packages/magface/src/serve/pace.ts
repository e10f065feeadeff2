/** How long images take of late, for telling clients when to come again. */

/** Batches that are remembered. */
const remembered = 15;

/** Before anything was measured. */
const assumed = 0.1;

export class Pace {
  /** Seconds an image, one a batch, the latest last. */
  readonly #batches: number[] = [];
  readonly #longest: number;

  /** @param longest - seconds after which whoever waits has given up: no queue lasts longer */
  constructor(longest: number) {
    this.#longest = longest;
  }

  batch(images: number, seconds: number): void {
    this.#batches.push(seconds / images);
    if (this.#batches.length > remembered) this.#batches.shift();
  }

  /** By the median: one huge photo, or the first batch of a cold engine, says nothing of the next. @returns whole seconds, at least 1 */
  secondsFor(images: number): number {
    const sorted = this.#batches.toSorted((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)] ?? assumed;
    return Math.max(1, Math.min(Math.ceil(images * median), Math.floor(this.#longest)));
  }
}
