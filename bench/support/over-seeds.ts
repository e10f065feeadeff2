/** Figures of the same recipe over several seeds. */
import type { ComparedModel } from '../../packages/magface/src/eval/compare-models.ts';
import { hash } from '../../packages/magface/src/train/data/sample-order.ts';

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * The mean over seeds. Each draw has its own people, and as many seeds as there are, drawn with replacement: the same ones
 * for every recipe, so that differences between recipes are paired by people and by seed. Few seeds vary less in such draws than
 * new seeds would, for n of them by √(1 − 1/n), so their deviations are enlarged by its inverse.
 *
 * @param runs - one per seed, in the same order for each recipe, all measured on the same draws of people
 */
export function meanOverSeeds(model: string, runs: readonly ComparedModel[]): ComparedModel {
  const factor = runs.length > 1 ? 1 / Math.sqrt(1 - 1 / runs.length) : 1;
  const figures = runs[0]!.figures.map(({ name, draws }, i) => {
    const of = runs.map(({ figures: own }) => own[i]!);
    const value = of.some((one) => one.value === null) ? null : mean(of.map((one) => one.value!));
    return {
      name,
      value,
      draws: draws.map((_, draw) => {
        const values = of.map((one) => one.draws[draw]!);
        const drawn = mean(values.map((__, j) => values[hash(draw, j) % values.length]!));
        return mean(values) + (drawn - mean(values)) * factor;
      }),
    };
  });
  return { model, figures };
}
