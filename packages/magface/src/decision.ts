/** From a similarity to a decision: at which of a model's measured thresholds, and what it says. */

/** Least cosine of a match and the false match rate that it was measured to have. */
export interface DecisionThreshold {
  readonly fmr: number;
  readonly threshold: number;
}

/** What is told of two faces; nulls where the model has no threshold. */
export interface Decision {
  readonly threshold: number | null;
  readonly fmr: number | null;
  readonly same: boolean | null;
}

/**
 * @param similarity - cosine of two embeddings
 * @param thresholds - those of the model's record
 * @param fmr - rate that is wished for; the nearest that was measured is taken, as the decision says
 */
export function decide(
  similarity: number,
  thresholds: readonly DecisionThreshold[] | undefined,
  fmr: number,
): Decision {
  // Rates live on a scale of powers of ten.
  const distance = (rate: number): number => Math.abs(Math.log(rate / Math.max(fmr, 1e-12)));
  const nearest = thresholds?.toSorted((a, b) => distance(a.fmr) - distance(b.fmr))[0];
  if (nearest === undefined) return { threshold: null, fmr: null, same: null };
  return { threshold: nearest.threshold, fmr: nearest.fmr, same: similarity >= nearest.threshold };
}
