/**
 * How good likelihood ratios are, without a threshold:
 *
 *     Cllr = ½ (mean over genuine pairs of log2(1 + 1 / LR) + mean over impostor pairs of log2(1 + LR))
 *
 * 0 is perfect, 1 is what LR = 1 for everything costs. The least cost of the same order of pairs, by isotonic regression, tells
 * what is lost by wrong sizes of the ratios.
 *
 * @see Brümmer and du Preez, "Application-independent evaluation of speaker detection", Computer Speech and Language 2006
 */
import { MagfaceError } from '../errors.ts';
import { type ReliabilityBin, reliabilityOf } from './reliability.ts';

/** The cost of likelihood ratios, and how far they agree with outcomes. */
export interface LikelihoodCost {
  /** In bits. */
  readonly cllr: number;
  /** The least of any increasing function of these ratios. */
  readonly cllrMin: number;
  /** Pairs of similar posterior at equal priors: predicted and true share of genuine pairs; both kinds weigh the same. */
  readonly bins: readonly ReliabilityBin[];
}

/**
 * @param logRatios - (P) natural logarithms of likelihood ratios
 * @param same - (P) 1 for genuine pairs
 * @throws {MagfaceError} `evaluation_impossible` without pairs of both kinds
 */
export function likelihoodCost(logRatios: Float64Array, same: Uint8Array, bins = 10): LikelihoodCost {
  const genuine = same.reduce((sum, one) => sum + one, 0);
  if (genuine === 0 || genuine === same.length)
    throw new MagfaceError('evaluation_impossible', {
      expected: 'pairs of both kinds',
      received: `${genuine} genuine ones of ${same.length}`,
      remedy: 'use a list that has both',
    });
  const weights = Float64Array.from(same, (one) => 0.5 / (one === 1 ? genuine : same.length - genuine));
  const isotonic = isotonicPosteriors(logRatios, same, weights).map((p) => Math.log(p) - Math.log1p(-p));
  return {
    cllr: costOf(logRatios, same, weights),
    cllrMin: costOf(isotonic, same, weights),
    bins: balancedBins(logRatios, same, bins),
  };
}

function costOf(logRatios: Float64Array, same: Uint8Array, weights: Float64Array): number {
  let sum = 0;
  logRatios.forEach((log, i) => {
    const against = same[i] === 1 ? -log : log;
    // ln(1 + e^x) without overflow
    sum += weights[i]! * (Math.max(0, against) + Math.log1p(Math.exp(-Math.abs(against))));
  });
  return sum / Math.LN2;
}

/**
 * Isotonic regression by pooling adjacent violators: the increasing function of the scores that is nearest to the outcomes.
 * Equal scores get one value.
 *
 * @param weights - (P)
 * @returns (P) from 0 to 1
 */
export function isotonicPosteriors(scores: Float64Array, outcome: Uint8Array, weights: Float64Array): Float64Array {
  const order = Uint32Array.from(scores.keys()).sort((a, b) => scores[a]! - scores[b]!);
  const pools: { hits: number; weight: number; count: number }[] = [];
  for (let from = 0; from < order.length; ) {
    let pool = { hits: 0, weight: 0, count: 0 };
    for (const score = scores[order[from]!]!; from < order.length && scores[order[from]!] === score; from++) {
      const i = order[from]!;
      pool = {
        hits: pool.hits + weights[i]! * outcome[i]!,
        weight: pool.weight + weights[i]!,
        count: pool.count + 1,
      };
    }
    for (let last = pools.at(-1); last && last.hits / last.weight >= pool.hits / pool.weight; last = pools.at(-1)) {
      pool = { hits: pool.hits + last.hits, weight: pool.weight + last.weight, count: pool.count + last.count };
      pools.pop();
    }
    pools.push(pool);
  }
  const posteriors = new Float64Array(scores.length);
  let at = 0;
  for (const { hits, weight, count } of pools)
    for (let i = 0; i < count; i++) posteriors[order[at++]!] = Math.min(1, hits / weight);
  return posteriors;
}

/** Repeats the rarer kind, so that both count the same. */
function balancedBins(logRatios: Float64Array, same: Uint8Array, bins: number): readonly ReliabilityBin[] {
  const kinds = [0, 1].map((kind) => Array.from(same.keys()).filter((i) => same[i] === kind));
  const each = Math.max(...kinds.map(({ length }) => length));
  const rows = kinds.flatMap((kind) => Array.from({ length: each }, (_, i) => kind[i % kind.length]!));
  const predicted = Float64Array.from(rows, (i) => 1 / (1 + Math.exp(-logRatios[i]!)));
  return reliabilityOf(
    predicted,
    Uint8Array.from(rows, (i) => same[i]!),
    bins,
  ).bins;
}
