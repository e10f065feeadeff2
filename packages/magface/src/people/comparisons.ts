/** Counts the comparisons between groups by reliability, and how many of them would reach a score by chance. */
import type { ImpostorLaw } from '../false-match-rate.ts';
import { similarityFor } from './evidence.ts';

/** Groups of similar reliability are counted together. */
const bins = 24;

/** The comparisons between all groups. Changes as they merge. */
export interface Comparisons {
  /** Groups. */
  readonly count: number;
  add(reliability: number): void;
  remove(reliability: number): void;
  /** @returns the expected number of pairs of different people that reach a score */
  expectedAt(score: number): number;
  /** @returns the least score that at most so many pairs of different people are expected to reach */
  scoreAt(expected: number): number;
  /** @returns the similarity that a score needs on average */
  similarityFor(score: number): number;
}

export function createComparisons(law: ImpostorLaw): Comparisons {
  const [counts, sums] = [new Float64Array(bins), new Float64Array(bins)];
  let [count, total] = [0, 0];
  const change = (reliability: number, by: 1 | -1): void => {
    const bin = Math.min(bins - 1, Math.floor(bins * reliability));
    counts[bin]! += by;
    sums[bin]! += by * reliability;
    count += by;
    total += by * reliability;
  };
  const expectedAt = (score: number): number => {
    let sum = 0;
    for (let i = 0; i < bins; i++) {
      if (counts[i] === 0) continue;
      for (let j = i; j < bins; j++) {
        const pairs = i === j ? (counts[i]! * (counts[i]! - 1)) / 2 : counts[i]! * counts[j]!;
        if (pairs === 0) continue;
        const rho = (sums[i]! / counts[i]!) * (sums[j]! / counts[j]!);
        sum += pairs * law.rateAt(Math.max(law.least, similarityFor(score, rho, law.dimension)));
      }
    }
    return sum;
  };
  return {
    get count() {
      return count;
    },
    add: (reliability) => change(reliability, 1),
    remove: (reliability) => change(reliability, -1),
    expectedAt,
    scoreAt: (expected) => {
      let [low, high] = [0, law.dimension];
      if (expectedAt(low) <= expected) return low;
      while (high - low > 1e-6) {
        const middle = (low + high) / 2;
        if (expectedAt(middle) > expected) low = middle;
        else high = middle;
      }
      return high;
    },
    similarityFor: (score) => {
      const rho = count === 0 ? 1 : (total / count) ** 2;
      return Math.min(1, Math.max(law.least, similarityFor(score, rho, law.dimension)));
    },
  };
}
