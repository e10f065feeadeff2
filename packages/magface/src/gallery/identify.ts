/** Searches a gallery and decides by a measured threshold. */
import { type DecisionThreshold, expectedFalseHits, thresholdAt } from '../decision.ts';
import type { Gallery } from './gallery.ts';
import type { GalleryMatch, SearchOptions } from './gallery-types.ts';
import type { OpenSetThreshold } from './open-set.ts';

/** Options for identification. */
export interface IdentifyOptions extends SearchOptions {
  /** Thresholds of the model: `magface.model.contract` has them. @default none: no decision */
  readonly thresholds?: readonly DecisionThreshold[] | undefined;
  /** Maximum false match rate of one comparison. @default 0.001 */
  readonly fmr?: number | undefined;
  /** Threshold for everybody at once: `openSetThreshold` finds it. @default none: nobody is named */
  readonly openSet?: OpenSetThreshold | undefined;
}

/** A match with its decision. */
export interface IdentifiedMatch extends GalleryMatch {
  /** Whether the similarity reaches the threshold; null without one. */
  readonly same: boolean | null;
}

/** Result of an identification. */
export interface Identified {
  /** Minimum cosine of a match; null if the model has no thresholds. */
  readonly threshold: number | null;
  /** False match rate of the threshold, for one comparison; at most the requested rate. */
  readonly fmr: number | null;
  /** Number of people in the gallery. */
  readonly people: number;
  /** Expected number of false matches for a face of a stranger: the rate times the number of people. */
  readonly expectedFalseHits: number | null;
  /** The person that the face shows at the open set's threshold; null for "unknown", or without such a threshold. */
  readonly named: string | null;
  /** By how much the best person is more similar than the next; null with fewer than two people. */
  readonly margin: number | null;
  /** The threshold that `named` was decided by; null without. */
  readonly openSet: OpenSetThreshold | null;
  /** Best first. */
  readonly matches: readonly IdentifiedMatch[];
}

/**
 * Finds the people that a face resembles most, and decides for each whether it is the same person.
 *
 * @param embedding - (D) float32, not normalized, of the gallery's model
 * @throws {ConfigError} if the model was not measured at a rate as strict as `fmr`
 */
export async function identify(
  gallery: Pick<Gallery, 'search' | 'count'>,
  embedding: Float32Array,
  { thresholds, fmr = 0.001, openSet, limit = 5 }: IdentifyOptions = {},
): Promise<Identified> {
  const taken = thresholdAt(thresholds, fmr);
  const found = await gallery.search(embedding, { limit: Math.max(2, limit) });
  const [best, next] = found;
  const { people } = await gallery.count();
  return {
    threshold: taken?.threshold ?? null,
    fmr: taken?.fmr ?? null,
    people,
    expectedFalseHits: taken === undefined ? null : expectedFalseHits(taken.fmr, people),
    named: best !== undefined && openSet !== undefined && best.similarity >= openSet.threshold ? best.person : null,
    margin: best === undefined || next === undefined ? null : best.similarity - next.similarity,
    openSet: openSet ?? null,
    matches: found.slice(0, limit).map((match) => ({
      ...match,
      same: taken === undefined ? null : match.similarity >= taken.threshold,
    })),
  };
}
