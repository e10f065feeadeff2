/** One point of an error curve. */
import { pointAtFar, splitScores } from '../../packages/magface/src/eval/roc.ts';

/** @returns the share of genuine scores below the exact threshold of a false match rate */
export function rocPoint(genuine: readonly number[], impostors: readonly number[], fmr: number): number {
  const scores = Float64Array.from([...genuine, ...impostors]);
  const same = Uint8Array.from(scores, (_, i) => (i < genuine.length ? 1 : 0));
  return Number((1 - pointAtFar(splitScores(scores, same), fmr).tar).toFixed(4));
}
