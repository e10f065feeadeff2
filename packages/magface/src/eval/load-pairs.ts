/** Loads features and pairs, with all values that verification and rejection need for each pair. */
import { readFeatureFile } from '../format/feature-reader.ts';
import { type FeatureSet, magnitudesOf } from './feature-set.ts';
import { readPairList } from './pair-list.ts';
import { type ResolveOptions, resolvePairs } from './pairs.ts';
import type { QualifiedPairs } from './quality-decision.ts';
import { pairQuality } from './reject.ts';
import { cosineSimilarities, type Pairs } from './verification.ts';

/** Paths of the data. */
export interface PairFiles extends ResolveOptions {
  /** Features: official text or .npy. */
  readonly features: string;
  /** Pairs: see `pair-list.ts` for the formats. */
  readonly pairs: string;
}

/** P pairs, ready to be measured. */
export interface LoadedPairs extends QualifiedPairs {
  readonly features: FeatureSet;
  readonly rows: Pairs;
  /** (N) magnitude of each feature row. */
  readonly qualities: ArrayLike<number>;
  /** (P) each: group columns of the list. */
  readonly columns: Readonly<Record<string, readonly string[]>>;
  /** (N) the view of each row, if the set has it: `frontal`, `profile`. */
  readonly views?: readonly string[];
}

/**
 * Reads a feature file and a list of pairs, and computes similarity and quality for each pair.
 *
 * @throws {FormatError} if a file has the wrong format
 * @throws {ShapeError} if features and pairs do not match, or a feature is all zeros
 */
export async function loadPairs(files: PairFiles): Promise<LoadedPairs> {
  const [features, list] = await Promise.all([readFeatureFile(files.features), readPairList(files.pairs)]);
  const rows = resolvePairs(list, features, files);
  const similarities = cosineSimilarities(features, rows);
  const qualities = magnitudesOf(features);
  const quality = pairQuality(qualities, rows);
  return { features, rows, similarities, same: rows.same, qualities, quality, columns: list.columns };
}
