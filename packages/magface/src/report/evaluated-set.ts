/** Data of one set of pairs on the evaluation page. */
import type { FigureComparison } from '../eval/compare-models.ts';
import type { PairReport } from '../eval/pair-report.ts';

/** One set of pairs as the page shows it. */
export interface EvaluatedSet {
  readonly name: string;
  /** Caveats of its figures, one sentence each. @default none */
  readonly notes?: readonly string[];
  /** One per model, in the page's order; at least one. */
  readonly reports: readonly PairReport[];
  /** Differences of models; without them no model leads. @default none */
  readonly comparisons?: readonly FigureComparison[];
  /** Pictures of images by name, as data URLs; other images are shown by name only. */
  readonly pictures?: ReadonlyMap<string, string>;
}
