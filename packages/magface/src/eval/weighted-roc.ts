/**
 * Error rates of pairs with integer weights, 0 included, which a bootstrap computes a thousand times.
 * Pairs are sorted once; each call is one pass from the most alike pair down.
 */

/** Rates for one set of weights. */
export interface WeightedRates {
  /** Chance that a genuine pair is more alike than an impostor pair, ties counted half. */
  readonly auc: number;
  /** Mean of both error rates where they come closest. */
  readonly eer: number;
  /** One per rate: similarity of the most alike impostor that must be rejected. */
  readonly limits: readonly number[];
  /** One per rate: share of genuine pairs above that. */
  readonly tars: readonly number[];
}

/**
 * @param similarities - (P)
 * @param same - (P) 1 for genuine pairs
 * @returns a function of (P) weights, some above 0 in each kind, and rising false accept rates below 1
 */
export function rocMeter(
  similarities: Float64Array,
  same: Uint8Array,
): (weights: ArrayLike<number>, rates: readonly number[]) => WeightedRates {
  const order = Uint32Array.from(similarities.keys()).sort((a, b) => similarities[b]! - similarities[a]!);
  return (weights, rates) => {
    const totals = [0, 0];
    for (let pair = 0; pair < same.length; pair++) totals[same[pair]!]! += weights[pair]!;
    const [impostors, genuine] = totals as [number, number];
    const allowed = rates.map((rate) => rate * impostors + 1e-9);
    const [limits, tars]: [number[], number[]] = [[], []];
    let [falseAccepts, accepts, area, closest, eer] = [0, 0, 0, genuine * impostors, 0.5];
    for (let k = 0; k < order.length; ) {
      const score = similarities[order[k]!]!;
      let [impostorsHere, genuineHere] = [0, 0];
      for (; k < order.length && similarities[order[k]!] === score; k++) {
        if (same[order[k]!] === 1) genuineHere += weights[order[k]!]!;
        else impostorsHere += weights[order[k]!]!;
      }
      while (limits.length < rates.length && falseAccepts + impostorsHere > allowed[limits.length]!) {
        limits.push(score);
        tars.push(accepts / genuine);
      }
      area += impostorsHere * (accepts + genuineHere / 2);
      falseAccepts += impostorsHere;
      accepts += genuineHere;
      // In integers, as in equalErrorRate.
      const apart = Math.abs(falseAccepts * genuine - (genuine - accepts) * impostors);
      if (apart <= closest) [closest, eer] = [apart, (falseAccepts / impostors + 1 - accepts / genuine) / 2];
    }
    return { auc: area / (genuine * impostors), eer, limits, tars };
  };
}
