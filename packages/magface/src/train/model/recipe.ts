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
import { leastLambdaG, type MagFaceConstants } from './magface-loss.ts';

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
    throw new MagfaceError('recipe_impossible', {
      expected: 'features whose length differs between faces',
      problem: `all are ${p50.toPrecision(4)}, because the model normalises them`,
      remedy: 'export it without its last normalisation',
    });
  }
  const limits = limitsFor({ p1, p99 });
  const margins = { lowerMargin: 0.35, upperMargin: 0.7 };
  const least = leastLambdaG({ ...limits, ...margins, scale } as MagFaceConstants);
  return { ...limits, ...margins, lambdaG: rounded(1.25 * least) };
}

/** l_a and u_a */
const limitsFor = ({ p1, p99 }: Pick<MagnitudeQuantiles, 'p1' | 'p99'>) => ({
  lowerMagnitude: rounded(0.65 * p1),
  upperMagnitude: rounded(1.15 * p99),
});

/** The recipe is accurate to three digits. */
const rounded = (value: number): number => Number(value.toPrecision(3));

/**
 * Tells whether [l_a, u_a] contains a model's magnitudes, as the loss needs.
 *
 * @param magnitudes - those of a few samples
 * @returns the change that the recipe suggests, in a sentence; undefined if none is needed
 */
export function magnitudeAdvice(
  magnitudes: ArrayLike<number>,
  constants: Pick<MagFaceConstants, 'lowerMagnitude' | 'upperMagnitude'>,
): string | undefined {
  const [low, high] = [Math.min(...Array.from(magnitudes)), Math.max(...Array.from(magnitudes))];
  const { lowerMagnitude, upperMagnitude } = constants;
  if (lowerMagnitude < low && high < upperMagnitude) return undefined;
  const recipe = limitsFor(magnitudeQuantiles(magnitudes));
  return `Magnitudes of the starting model lie in [${low.toFixed(2)}, ${high.toFixed(2)}] but l_a is ${lowerMagnitude} and u_a is ${upperMagnitude}, beyond which nothing is learned about quality: use --l_a ${recipe.lowerMagnitude} --u_a ${recipe.upperMagnitude}.`;
}
