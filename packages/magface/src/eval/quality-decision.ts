/**
 * Quality-dependent decisions: one threshold per bin of pair quality instead of one for all. Fitting is greedy: it starts
 * without false accepts and takes the next one from the bin that gains the most genuine pairs for it, until it reaches
 * the false match rate. Held-out folds show whether that beats the plain threshold.
 */
import { ConfigError } from '../errors.ts';
import { type DrawOptions, drawPeople, type Interval, intervalOf } from './bootstrap.ts';
import type { PairIdentities } from './identities.ts';
import { countBelow, nextAbove, pointAtFar, splitScores } from './roc.ts';
import { foldBounds } from './verification.ts';
import { rocMeter } from './weighted-roc.ts';

/** A threshold for pairs with a quality from `from` up to the next bin's. */
export interface QualityBin {
  /** Lowest quality of the bin; −∞ in the first. */
  readonly from: number;
  /** Accept when the similarity is this or more. */
  readonly threshold: number;
}

/** Options for binning and evaluation. */
export interface QualityDecisionOptions extends DrawOptions {
  /** False match rate over all bins. @default 0.001 */
  readonly fmr?: number;
  /** Number of bins of equal size, 2 or more. @default 3 */
  readonly bins?: number;
  /** Contiguous folds for evaluation. @default 10 */
  readonly folds?: number;
}

/** The bins, and whether they help. */
export interface QualityDecision {
  readonly fmr: number;
  /** Fitted on all pairs, in ascending quality. */
  readonly bins: readonly QualityBin[];
  /** On held-out folds at exactly the same FMR: share of genuine pairs accepted. */
  readonly heldOutTar: { readonly plain: number; readonly binned: number };
  /** 95 % interval of binned minus plain, by a bootstrap over people. */
  readonly gainInterval: Interval;
  /** Whether the bins beat the plain threshold on held-out folds beyond chance: if not, use the plain one. */
  readonly better: boolean;
}

/** P pairs with similarity, label and quality. */
export interface QualifiedPairs {
  /** (P) cosine. */
  readonly similarities: Float64Array;
  /** (P) 1 for genuine pairs. */
  readonly same: Uint8Array;
  /** (P) the lower quality of the two. */
  readonly quality: Float64Array;
}

/**
 * Fits a threshold for each bin of quality, and compares it with one threshold for all on held-out folds.
 *
 * @param people - the identities in the pairs
 * @throws {MagfaceError} `evaluation_impossible` if there are too few impostors for the rate
 */
export function fitQualityDecision(
  pairs: QualifiedPairs,
  people: PairIdentities,
  options: QualityDecisionOptions = {},
): QualityDecision {
  const { fmr = 0.001, bins = 3, folds = 10 } = options;
  if (!Number.isInteger(bins) || bins < 2)
    throw new ConfigError('bins', {
      expected: 'at least two quality bins',
      received: bins,
      remedy: 'raise the number',
    });
  const { similarities, same, quality } = pairs;
  const plainMargin = new Float64Array(same.length);
  const binnedMargin = new Float64Array(same.length);
  for (const { from, to } of foldBounds(same.length, folds)) {
    const training = chosen(pairs, (pair) => pair < from || pair >= to);
    const plain = pointAtFar(splitScores(training.similarities, training.same), fmr).threshold;
    const fitted = fitBins(training, fmr, bins);
    for (let pair = from; pair < to; pair++) {
      plainMargin[pair] = similarities[pair]! - plain;
      binnedMargin[pair] = similarities[pair]! - thresholdFor(fitted, quality[pair]!);
    }
  }
  const [plain, binned] = [plainMargin, binnedMargin].map((margin) => pointAtFar(splitScores(margin, same), fmr).tar);
  const heldOutTar = { plain: plain!, binned: binned! };
  const [plainRates, binnedRates] = [rocMeter(plainMargin, same), rocMeter(binnedMargin, same)];
  const gains = drawPeople(
    same,
    people,
    options,
    (weights) => binnedRates(weights, [fmr]).tars[0]! - plainRates(weights, [fmr]).tars[0]!,
  );
  const gainInterval = intervalOf(gains);
  return { fmr, bins: fitBins(pairs, fmr, bins), heldOutTar, gainInterval, better: gainInterval[0] > 0 };
}

/** @returns the threshold of the bin that a quality falls into. */
export const thresholdFor = (bins: readonly QualityBin[], quality: number): number =>
  bins.findLast((bin) => quality >= bin.from)?.threshold ?? bins[0]!.threshold;

function fitBins(pairs: QualifiedPairs, fmr: number, count: number): QualityBin[] {
  const sorted = pairs.quality.slice().sort();
  const edges = Array.from({ length: count }, (_, bin) =>
    bin === 0 ? Number.NEGATIVE_INFINITY : sorted[Math.floor((sorted.length * bin) / count)]!,
  );
  const bins = edges.map((from, bin) => {
    const to = edges[bin + 1] ?? Number.POSITIVE_INFINITY;
    const within = chosen(pairs, (pair) => pairs.quality[pair]! >= from && pairs.quality[pair]! < to);
    const [genuine, impostor] = [1, 0].map((label) =>
      within.similarities.filter((_, i) => within.same[i] === label).sort(),
    );
    return { from, genuine: genuine!, impostor: impostor!, passed: 0 };
  });
  const allowed = Math.floor(fmr * pairs.same.filter((label) => label === 0).length + 1e-9);
  for (let left = allowed; left > 0; ) {
    const offers = bins.map((bin) => bestOffer(bin, left));
    const best = offers.indexOf(offers.reduce((a, b) => (b.rate > a.rate ? b : a)));
    if (offers[best]!.rate <= 0) break;
    bins[best]!.passed += offers[best]!.cost;
    left -= offers[best]!.cost;
  }
  return bins.map(({ from, impostor, passed }) => ({ from, threshold: limitOf(impostor, passed) }));
}

interface Bin {
  readonly genuine: Float64Array;
  readonly impostor: Float64Array;
  /** Impostors accepted so far. */
  readonly passed: number;
}

/** The next false accepts of a bin that gain the most genuine pairs per false accept. */
function bestOffer({ genuine, impostor, passed }: Bin, left: number): { cost: number; rate: number } {
  const now = accepted(genuine, limitOf(impostor, passed));
  let best = { cost: 0, rate: 0 };
  for (let cost = 1; cost <= left && passed + cost <= impostor.length; cost++) {
    const rate = (accepted(genuine, limitOf(impostor, passed + cost)) - now) / cost;
    if (rate > best.rate) best = { cost, rate };
  }
  return best;
}

const accepted = (genuine: Float64Array, threshold: number): number => genuine.length - countBelow(genuine, threshold);

/** Just above the most alike rejected impostor; with none to reject, every pair passes. */
const limitOf = (impostor: Float64Array, passed: number): number =>
  passed < impostor.length ? nextAbove(impostor[impostor.length - 1 - passed]!) : -1;

function chosen({ similarities, same, quality }: QualifiedPairs, keep: (pair: number) => boolean): QualifiedPairs {
  const kept = (_: number, pair: number): boolean => keep(pair);
  return { similarities: similarities.filter(kept), same: same.filter(kept), quality: quality.filter(kept) };
}
