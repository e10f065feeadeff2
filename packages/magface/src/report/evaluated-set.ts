/** What the evaluation page shows of one set of pairs. */
import type { FigureComparison } from '../eval/compare-models.ts';
import type { PairReport } from '../eval/pair-report.ts';

/** One set of pairs as the page shows it. */
export interface EvaluatedSet {
  readonly name: string;
  /** What a reader of its figures must know: a sentence each. @default none */
  readonly notes?: readonly string[];
  /** One a model, in the order of the page's models; at least one. */
  readonly reports: readonly PairReport[];
  /** How the models differ; without it no model is said to lead. @default none */
  readonly comparisons?: readonly FigureComparison[];
  /** Pictures of images by name, as data addresses; images without one are shown by name alone. */
  readonly pictures?: ReadonlyMap<string, string>;
}
