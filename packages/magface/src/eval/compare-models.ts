/**
 * Finds the better model, and whether these pairs can show it. Models with the same pairs are measured on the same draws
 * of people (`bootstrap.ts`), so that their differences are paired: a hard draw is hard for all of them.
 *
 *     shown   the interval of (best − other) over the draws excludes 0, for each other model
 *
 * The best is chosen afterwards, so the intervals must hold for all pairs of models together: with M models each has
 * confidence 1 − 0.05 / (M · (M − 1) / 2), by Bonferroni.
 */
import { type Interval, intervalOf } from './bootstrap.ts';

/** A figure of one model, with its value on each draw. */
export interface Figure {
  /** As in JSON: `accuracy`, `cosineAccuracy`, `auc`, `eer`, `tar@0.001`, `paucArea`, `paucRelative`. */
  readonly name: string;
  /** On the original pairs; null if they are too few. */
  readonly value: number | null;
  /** (R) NaN for draws without a value. */
  readonly draws: Float64Array;
}

/** A named model with its figures. */
export interface ComparedModel {
  readonly model: string;
  readonly figures: readonly Figure[];
}

/** One figure over all models. */
export interface FigureComparison {
  readonly figure: string;
  /** The model with the best value; the first of equals. */
  readonly best: string;
  /** Whether it is significantly better than every other. */
  readonly shown: boolean;
  /** The lead of the best over each other model; above 0 in its favour. */
  readonly others: readonly {
    readonly model: string;
    readonly difference: number;
    /** Null if too many draws have no value. */
    readonly interval: Interval | null;
  }[];
}

/** Errors and areas under error curves, where less is better. */
export const lessIsBetter: ReadonlySet<string> = new Set(['eer', 'paucArea', 'paucRelative']);

/**
 * Compares models by every figure that all of them have, on the same draws of people.
 *
 * @returns one comparison per figure, with the interval of the difference between the best model and each other one; empty
 *   for a single model
 */
export function compareModels(models: readonly ComparedModel[]): FigureComparison[] {
  if (models.length < 2) return [];
  const confidence = 1 - 0.05 / ((models.length * (models.length - 1)) / 2);
  const names = models[0]!.figures.map(({ name }) => name);
  return names.flatMap((figure) => {
    const entries = models.map(({ model, figures }) => ({
      model,
      figure: figures.find(({ name }) => name === figure),
    }));
    if (entries.some((entry) => entry.figure?.value == null)) return [];
    const sign = lessIsBetter.has(figure) ? -1 : 1;
    const value = (entry: (typeof entries)[number]): number => sign * entry.figure!.value!;
    const best = entries.reduce((a, b) => (value(b) > value(a) ? b : a));
    const others = entries
      .filter((entry) => entry !== best)
      .map((entry) => ({
        model: entry.model,
        difference: value(best) - value(entry),
        interval: knownInterval(
          best.figure!.draws.map((draw, i) => sign * (draw - entry.figure!.draws[i]!)),
          confidence,
        ),
      }));
    const shown = others.every(({ interval }) => interval !== null && interval[0] > 0);
    return [{ figure, best: best.model, shown, others }];
  });
}

/** @returns null if one draw in twenty is NaN, because such draws are not a random sample */
export function knownInterval(draws: Float64Array, confidence = 0.95): Interval | null {
  const known = draws.filter((draw) => !Number.isNaN(draw));
  return known.length < 0.95 * draws.length ? null : intervalOf(known, confidence);
}
