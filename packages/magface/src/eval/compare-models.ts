/**
 * Which model is better, and whether these pairs can show it. Models that saw the same pairs are measured on the same draws
 * of people (`bootstrap.ts`), so that their differences are paired: what is hard in a draw is hard for all of them.
 *
 *     shown   the interval of (best − other) over the draws excludes 0, for each other model
 *
 * The best is picked after the fact, so that the intervals hold for all pairs of models together: of M models each has the
 * confidence 1 − 0.05 / (M · (M − 1) / 2), by Bonferroni.
 */
import { type Interval, intervalOf } from './bootstrap.ts';

/** A figure of one model, with what it is on each draw. */
export interface Figure {
  /** As in JSON: `accuracy`, `cosineAccuracy`, `auc`, `eer`, `tar@0.001`, `paucArea`, `paucRelative`. */
  readonly name: string;
  /** On the pairs as they are; null where they cannot tell it. */
  readonly value: number | null;
  /** (R) NaN where a draw cannot tell it. */
  readonly draws: Float64Array;
}

/** A model by name with its figures. */
export interface ComparedModel {
  readonly model: string;
  readonly figures: readonly Figure[];
}

/** One figure over all models. */
export interface FigureComparison {
  readonly figure: string;
  /** The model with the best value; of equal ones the first. */
  readonly best: string;
  /** Whether it is shown to be better than every other. */
  readonly shown: boolean;
  /** What the best has over each other model, above 0 in its favour. */
  readonly others: readonly {
    readonly model: string;
    readonly difference: number;
    /** Null where too many draws cannot tell. */
    readonly interval: Interval | null;
  }[];
}

/** Errors and areas below an error curve: less is better. */
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

/** @returns null when one draw in twenty is NaN: those that cannot tell are not like the others */
export function knownInterval(draws: Float64Array, confidence = 0.95): Interval | null {
  const known = draws.filter((draw) => !Number.isNaN(draw));
  return known.length < 0.95 * draws.length ? null : intervalOf(known, confidence);
}
