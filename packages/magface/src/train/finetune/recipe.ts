/**
 * Derives the loss constants for a model trained with another loss from its magnitudes. Formalises the advice of the
 * official README:
 *
 * l_a = 0.65 · p1       u_a = 1.15 · p99      so no face is clamped at the start, and there is room beyond
 * l_m = 0.35            u_m = 0.7             lower than for training from scratch: the features are already good
 * λ_g = 1.25 · s·k·u_a²·l_a² / (u_a² − l_a²)  a quarter above the minimum that keeps the optimum inside (l_a, u_a]
 *
 * p1 and p99 are quantiles over undamaged and damaged faces, k is the slope of the margin.
 *
 * @see Meng et al., CVPR 2021, section 3.2; official README, "Finetuning"
 */
import { MagfaceError } from '../../errors.ts';
import { quantile } from '../../quantile.ts';
import type { TrainHooks } from '../loop/train-hooks.ts';
import { leastLambdaG, type MagFaceConstants } from '../model/magface-loss.ts';

/** Quantiles of magnitudes, for display and for the recipe. */
export interface MagnitudeQuantiles {
  readonly p1: number;
  readonly p25: number;
  readonly p50: number;
  readonly p75: number;
  readonly p99: number;
}

/** The constants that the recipe sets. */
export type Recipe = Pick<
  MagFaceConstants,
  'lowerMagnitude' | 'upperMagnitude' | 'lowerMargin' | 'upperMargin' | 'lambdaG'
>;

export function magnitudeQuantiles(magnitudes: ArrayLike<number>): MagnitudeQuantiles {
  const sorted = Float64Array.from(magnitudes).sort();
  const [p1, p25, p50, p75, p99] = [0.01, 0.25, 0.5, 0.75, 0.99].map((p) => quantile(sorted, p)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return { p1, p25, p50, p75, p99 };
}

/**
 * @param scale - s
 * @throws {MagfaceError} `recipe_impossible` if the magnitudes do not differ: the features are normalised, so there is
 * no magnitude to train
 */
export function recipeFor({ p1, p50, p99 }: MagnitudeQuantiles, scale: number): Recipe {
  if (!(p1 > 0) || (p99 - p1) / p50 < 1e-4) {
    const message = `Expected features whose length differs between faces but all are ${p50.toPrecision(4)}: the model normalises them; export it without its last normalisation.`;
    throw new MagfaceError('recipe_impossible', message);
  }
  const limits = { lowerMagnitude: rounded(0.65 * p1), upperMagnitude: rounded(1.15 * p99) };
  const margins = { lowerMargin: 0.35, upperMargin: 0.7 };
  const least = leastLambdaG({ ...limits, ...margins, scale } as MagFaceConstants);
  return { ...limits, ...margins, lambdaG: rounded(1.25 * least) };
}

/** The recipe is accurate to three digits. */
const rounded = (value: number): number => Number(value.toPrecision(3));

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
    return `Magnitudes have drawn together to ${range}, from [${start.p1.toFixed(2)}, ${start.p99.toFixed(2)}]: raise --quality-weight, or widen --l_a and --u_a.`;
  }
  if (now.p25 <= lowerMagnitude)
    return `A quarter of the magnitudes lie at or below l_a ${lowerMagnitude}: lower --l_a.`;
  if (now.p75 >= upperMagnitude)
    return `A quarter of the magnitudes lie at or above u_a ${upperMagnitude}: raise --u_a.`;
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
