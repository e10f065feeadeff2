/** Whom a face resembles among the people of a gallery, and what that says. */
import { type DecisionThreshold, expectedFalseHits, thresholdAt } from '../decision.ts';
import type { GalleryMatch, People, SearchOptions } from './gallery.ts';

/** How a face is told. */
export interface IdentifyOptions extends SearchOptions {
  /** Those of the model's record: `magface.model.contract` has them. @default none: similarities alone */
  readonly thresholds?: readonly DecisionThreshold[] | undefined;
  /** The largest false match rate of one comparison that is acceptable. @default 0.001 */
  readonly fmr?: number | undefined;
}

/** Somebody whom the face resembles. */
export interface IdentifiedMatch extends GalleryMatch {
  /** Whether it is the same person, at the threshold; null where there is none. */
  readonly same: boolean | null;
}

/** Whom the face resembles most, best first, and by which rule. */
export interface Identified {
  /** Least cosine of a match; null where the model has no threshold. */
  readonly threshold: number | null;
  /** The false match rate that it was measured at, for one comparison: never above the one asked for. */
  readonly fmr: number | null;
  /** People in the gallery. */
  readonly people: number;
  /** False hits of a stranger's face on average: the rate times the people. */
  readonly expectedFalseHits: number | null;
  readonly matches: readonly IdentifiedMatch[];
}

/**
 * @param embedding - (D) float32, not normalized, of the gallery's model
 * @throws {ConfigError} when the model was measured at no rate as strict as `fmr`
 */
export async function identify(
  gallery: Pick<People, 'search' | 'count'>,
  embedding: Float32Array,
  { thresholds, fmr = 0.001, ...search }: IdentifyOptions = {},
): Promise<Identified> {
  const taken = thresholdAt(thresholds, fmr);
  const matches = await gallery.search(embedding, search);
  const { people } = await gallery.count();
  return {
    threshold: taken?.threshold ?? null,
    fmr: taken?.fmr ?? null,
    people,
    expectedFalseHits: taken === undefined ? null : expectedFalseHits(taken.fmr, people),
    matches: matches.map((match) => ({
      ...match,
      same: taken === undefined ? null : match.similarity >= taken.threshold,
    })),
  };
}
