/** Warns during finetuning when magnitudes stop telling quality. */
import type { TrainHooks } from '../loop/train-hooks.ts';
import { type MagnitudeQuantiles, magnitudeQuantiles, type Recipe } from '../model/recipe.ts';

/** Below this fraction of its initial spread, a quality tells little. */
const leastSpread = 0.5;

/** @returns a warning if magnitudes converge or cluster at a limit; otherwise undefined */
export function collapseWarning(
  now: MagnitudeQuantiles,
  start: MagnitudeQuantiles,
  { lowerMagnitude, upperMagnitude }: Pick<Recipe, 'lowerMagnitude' | 'upperMagnitude'>,
): string | undefined {
  const spread = ({ p1, p99 }: MagnitudeQuantiles): number => p99 - p1;
  const range = `[${now.p1.toFixed(2)}, ${now.p99.toFixed(2)}]`;
  if (spread(now) < leastSpread * spread(start)) {
    return `The magnitudes have converged to ${range}, from [${start.p1.toFixed(2)}, ${start.p99.toFixed(2)}]: raise --quality-weight, or widen --l_a and --u_a.`;
  }
  if (now.p25 <= lowerMagnitude)
    return `A quarter of the magnitudes are at or below l_a ${lowerMagnitude}: lower --l_a.`;
  if (now.p75 >= upperMagnitude)
    return `A quarter of the magnitudes are at or above u_a ${upperMagnitude}: raise --u_a.`;
  return undefined;
}

/** The same hooks, but a {@link collapseWarning} follows a row of metrics if one is due. */
export function withCollapseWarning(
  hooks: TrainHooks,
  start: MagnitudeQuantiles,
  constants: Pick<Recipe, 'lowerMagnitude' | 'upperMagnitude'>,
): TrainHooks {
  let magnitudes: number[] = [];
  return {
    ...hooks,
    onStep: (step, total, result) => {
      if (result.skipped === undefined) magnitudes.push(...result.magnitudes);
      hooks.onStep?.(step, total, result);
    },
    onRow: (row) => {
      hooks.onRow?.(row);
      const warning = collapseWarning(magnitudeQuantiles(magnitudes), start, constants);
      if (warning !== undefined) hooks.onNote?.(warning);
      magnitudes = [];
    },
  };
}
