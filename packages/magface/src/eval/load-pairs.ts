/** Features and pairs from their two files, with all that verification and rejecting need of each pair. */

import { readFile } from 'node:fs/promises';
import { FormatError } from '../errors.ts';
import { readFeatureFile } from '../format/feature-reader.ts';
import { type FeatureSet, magnitudesOf, rowsOf } from './feature-set.ts';
import { readPairList } from './pair-list.ts';
import { type ResolveOptions, resolvePairs } from './pairs.ts';
import type { QualifiedPairs } from './quality-decision.ts';
import { pairQuality } from './reject.ts';
import { cosineSimilarities, type Pairs } from './verification.ts';

/** Where the data lie. */
export interface PairFiles extends ResolveOptions {
  /** Features: official text or .npy. */
  readonly features: string;
  /** Pairs: see `pair-list.ts` for the texts it may be. */
  readonly pairs: string;
  /** One quality a feature: `name value` or `value` lines. @default the magnitude */
  readonly quality?: string;
}

/** P pairs, ready to be measured. */
export interface LoadedPairs extends QualifiedPairs {
  readonly features: FeatureSet;
  readonly rows: Pairs;
  /** (N) of each feature row: its magnitude, or another measure. */
  readonly qualities: ArrayLike<number>;
  /** (P) each: group columns of the list. */
  readonly columns: Readonly<Record<string, readonly string[]>>;
  /** (N) what kind of picture each row is, where a set tells: `frontal`, `profile`. */
  readonly views?: readonly string[];
}

/**
 * @throws {FormatError} when a file cannot be read as what it should be
 * @throws {ShapeError} when features and pairs do not belong together, or a feature has no length
 */
export async function loadPairs(files: PairFiles): Promise<LoadedPairs> {
  const [features, list] = await Promise.all([readFeatureFile(files.features), readPairList(files.pairs)]);
  const rows = resolvePairs(list, features, files);
  const similarities = cosineSimilarities(features, rows);
  const qualities = files.quality === undefined ? magnitudesOf(features) : await readQualities(files.quality, features);
  const quality = pairQuality(qualities, rows);
  return { features, rows, similarities, same: rows.same, qualities, quality, columns: list.columns };
}

/**
 * Any other measure of quality, so that it can stand beside magnitude on one picture.
 *
 * @returns (N) one value a feature row, higher is better
 * @throws {FormatError} when a line has no number, or a feature has no line
 */
export async function readQualities(file: string, features: FeatureSet): Promise<Float64Array> {
  const lines = (await readFile(file, 'utf8')).split(/\r?\n/).filter((line) => line.trim() !== '');
  const entries = lines.map((line, i) => {
    const tokens = line.trim().split(/[\s,]+/);
    const value = Number(tokens.at(-1));
    if (!Number.isNaN(value)) return { name: tokens.length > 1 ? tokens[0]! : undefined, value };
    throw new FormatError(file, `Expected "name value" or "value" lines but line ${i + 1} ends in "${tokens.at(-1)}".`);
  });
  const rows = rowsOf(features);
  const byName = new Map(entries.map(({ name, value }) => [name, value]));
  if (features.names === undefined || entries.some(({ name }) => name === undefined)) {
    if (entries.length === rows) return Float64Array.from(entries, ({ value }) => value);
    throw new FormatError(file, `Expected ${rows} qualities, one a feature line, but received ${entries.length}.`);
  }
  return Float64Array.from(features.names, (name) => {
    const value = byName.get(name);
    if (value !== undefined) return value;
    throw new FormatError(file, `Expected a quality for every feature but "${name}" has none.`);
  });
}
