/** Data of one set of pairs on the evaluation page. */
import type { FigureComparison } from '../eval/compare-models.ts';
import type { PairReport } from '../eval/pair-report.ts';
import type { QualityMeaning } from '../eval/quality-meaning.ts';

/** One set of pairs as the page shows it. */
export interface EvaluatedSet {
  readonly name: string;
  /** Caveats of its figures, one sentence each. @default none */
  readonly notes?: readonly string[];
  /** One per model, in the page's order; at least one. */
  readonly reports: readonly PairReport[];
  /** Differences of models; without them no model leads. @default none */
  readonly comparisons?: readonly FigureComparison[];
  /** What quality means to each model: as a probability, and by group. @default not measured */
  readonly meanings?: readonly { readonly model: string; readonly meaning: QualityMeaning }[];
  /** Pictures of images by name, as data URLs; other images are shown by name only. */
  readonly pictures?: ReadonlyMap<string, string>;
}
