/** How much of the gain that a perfect quality would bring a quality brings, by error versus reject. */
import { errorVersusReject } from '../../packages/magface/src/eval/reject.ts';

export interface Rejection {
  /** Without rejection. */
  readonly fnmr: number;
  /** Mean FNMR over 0 to 50 % rejected. */
  readonly pauc: number;
  /** 0 for chance, 1 for the bound. */
  readonly shareOfAttainable: number;
}

const rates = Array.from({ length: 11 }, (_, i) => i * 0.05);

/** Mean FNMR over 0 to 50 % rejected, and its position between chance and the bound behind the published shares. */
export function rejection(similarities: Float64Array, same: Uint8Array, quality: Float64Array, fmr: number): Rejection {
  const options = { fmr, threshold: 'fixed', rejectRates: rates, paucLimit: 0.5 } as const;
  const { pauc, fnmrOfAll } = errorVersusReject(similarities, same, quality, options);
  const [chance, bound] = [fnmrOfAll!, boundOf(fnmrOfAll!, same)];
  return { fnmr: chance, pauc: pauc!, shareOfAttainable: (chance - pauc!) / (chance - bound) };
}

/**
 * Mean FNMR of a quality that also knows the labels and spends every rejection on a genuine error. The oracle of `magface
 * evaluate` is weaker; this bound is kept because earlier models were judged by it.
 */
function boundOf(fnmr: number, same: Uint8Array): number {
  const genuine = same.reduce((sum, label) => sum + label, 0);
  const left = rates.map((rate) => {
    const gone = Math.min(fnmr * genuine, Math.floor(rate * same.length));
    return gone === genuine ? 0 : (fnmr * genuine - gone) / (genuine - gone);
  });
  const steps = left.slice(1).map((value, i) => (value + left[i]!) / 2);
  return steps.reduce((sum, step) => sum + step, 0) / steps.length;
}
