/** Counts the values inside a network, run by run, to choose 8-bit ranges from. */
import type { ActivationRange } from './quantize.ts';

const bins = 2048;

/** A histogram of one tensor's values. */
export class Histogram {
  #low = 0;
  #high = 0;
  #counts = new Float64Array(bins);

  /** First round: widens the range, which always includes zero. */
  widen(values: Float32Array): void {
    for (const value of values) {
      if (value < this.#low) this.#low = value;
      else if (value > this.#high) this.#high = value;
    }
  }

  /** Second round: counts values. */
  count(values: Float32Array): void {
    const step = bins / (this.#high - this.#low || 1);
    // A sample of a large map is enough; 13 divides no map's width, so every column is seen.
    const stride = values.length > 50_000 ? 13 : 1;
    for (let i = 0; i < values.length; i += stride) {
      this.#counts[Math.min(bins - 1, Math.max(0, Math.floor((values[i]! - this.#low) * step)))]!++;
    }
  }

  get range(): ActivationRange {
    return { low: this.#low, high: this.#high };
  }

  /** @returns the range without this share of values at each end */
  percentile(share: number): ActivationRange {
    const all = this.#counts.reduce((sum, count) => sum + count, 0);
    if (all * share < 1) return this.range; // too few values to call any of them an outlier
    const end = (from: number, step: 1 | -1): number => {
      let seen = 0;
      let at = from;
      for (; at >= 0 && at < bins; at += step) {
        seen += this.#counts[at]!;
        if (seen > all * share) break;
      }
      return at;
    };
    const width = (this.#high - this.#low) / bins;
    const [low, high] = [this.#low + end(0, 1) * width, this.#low + (end(bins - 1, -1) + 1) * width];
    return { low: Math.min(0, low), high: Math.max(0, high) };
  }

  /** @returns the range with the least squared error of rounding and clipping in 256 steps */
  leastError(): ActivationRange {
    const width = (this.#high - this.#low) / bins;
    const filled = [...this.#counts.keys()].filter((i) => this.#counts[i]! > 0);
    const centres = filled.map((i) => this.#low + (i + 0.5) * width);
    let best = { range: this.range, error: Number.POSITIVE_INFINITY };
    for (const low of this.#low === 0 ? [0] : steps(this.#low)) {
      for (const high of this.#high === 0 ? [0] : steps(this.#high)) {
        const rounding = ((high - low) / 255) ** 2 / 12;
        let error = 0;
        for (const [k, i] of filled.entries()) {
          const x = centres[k]!;
          const beyond = x > high ? x - high : x < low ? low - x : 0;
          error += this.#counts[i]! * (beyond * beyond + rounding);
        }
        if (error < best.error) best = { range: { low, high }, error };
      }
    }
    return best.range;
  }
}

const steps = (end: number): number[] => Array.from({ length: 24 }, (_, i) => end * (1 - i / 32));
