/** What a published folder gives: its pairs and its usual name. */
import type { PairList } from '../pair-list.ts';

export interface Layout {
  readonly name: string;
  /** Paths relative to the folder, fold after fold. */
  readonly list: PairList;
  /** The view of an image, by its path. @default the set has none */
  readonly viewOf?: (path: string) => string;
  /** Caveats, one sentence each. */
  readonly notes: readonly string[];
}
