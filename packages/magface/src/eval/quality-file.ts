/**
 * Reads other quality measures, to compare them with magnitude. Higher is better in each:
 *
 *     value                     a line per image, in the order of the features
 *     name value                by name, as CR-FIQA's script writes them
 *     name,measure[,measure…]   CSV or TSV with a header line: one or more measures
 *     Filename;…;X.scalar;…     OFIQ's CSV: its mapped values, 0 to 100
 *     a pickle                  eDifFIQA's `quality-scores.pkl`: a dict from names to scores
 *     a folder                  LightQNet's: images whose names begin with their score, `0.8731_NAME.jpg`
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { lineError } from '../format/text-lines.ts';
import { withoutImageEnding } from '../image-names.ts';
import { type FeatureSet, rowsOf } from './feature-set.ts';
import { rowFinder } from './pairs.ts';
import { parseScores, readPickledScores, type ScoreColumn, scoresInNames } from './quality-formats.ts';

/** One measure of N images. */
export interface QualityMeasure {
  readonly name: string;
  /** (N) one value per feature row, higher is better. */
  readonly values: Float64Array;
}

/**
 * Reads other measures of quality from a table, a list, a pickle or a folder, one value for each feature row. A name may have more or
 * fewer leading folders than that of the feature, and another ending.
 *
 * @throws {FormatError} if a value is no number, or a feature has none or several
 */
export async function readQualities(file: string, features: FeatureSet): Promise<QualityMeasure[]> {
  const columns = await columnsOf(file);
  if (columns.length === 0)
    throw lineError(file, { expected: 'scores', problem: 'found none', remedy: 'see `magface lab --help`' });
  return columns.map((column) => ({ name: column.name, values: valuesOf(column, file, features) }));
}

async function columnsOf(file: string): Promise<ScoreColumn[]> {
  if ((await stat(file).catch(() => undefined))?.isDirectory() === true)
    return scoresInNames((await readdir(file)).sort(), file);
  if (['.pkl', '.pickle'].includes(extname(file).toLowerCase())) return readPickledScores(file);
  return parseScores(await readFile(file, 'utf8'), file);
}

function valuesOf({ entries }: ScoreColumn, file: string, features: FeatureSet): Float64Array {
  if (features.names === undefined || entries.some(({ image }) => image === undefined)) {
    if (entries.length === rowsOf(features)) return Float64Array.from(entries, ({ value }) => value);
    throw lineError(file, {
      expected: `${rowsOf(features)} qualities (one per feature line)`,
      received: entries.length,
      remedy: 'use files of the same list',
    });
  }
  const find = entryFinder(entries.map(({ image }) => image!));
  const users = new Map<number, string>();
  return Float64Array.from(features.names, (name) => {
    const found = find(name);
    const user = users.get(found[0] ?? -1) ?? name;
    if (found.length === 0)
      throw lineError(file, {
        expected: 'a quality for every feature',
        problem: `"${name}" has none`,
        remedy: 'add a line for it',
      });
    if (found.length > 1 || user !== name) {
      const came = user === name ? `found ${found.length}` : `the same one fits "${user}"`;
      throw lineError(file, {
        expected: `a quality for "${name}" alone`,
        problem: came,
        remedy: 'add folders to the names, so that they differ',
      });
    }
    users.set(found[0]!, name);
    return entries[found[0]!]!.value;
  });
}

/** An entry fits if its path ends in the name, or the name ends in its path. The last entry of the same path counts. */
function entryFinder(images: readonly string[]): (name: string) => readonly number[] {
  const whole = new Map(images.map((image, row) => [withoutImageEnding(plain(image)), row]));
  const unique = [...whole.values()];
  const longer = rowFinder(unique.map((row) => plain(images[row]!)));
  return (name) => {
    const found = longer(plain(name)).map((i) => unique[i]!);
    if (found.length > 0) return found;
    const parts = withoutImageEnding(plain(name)).split('/');
    for (let from = 1; from < parts.length; from++) {
      const row = whole.get(parts.slice(from).join('/'));
      if (row !== undefined) return [row];
    }
    return [];
  };
}

/** Without leading dots and with slashes, whatever the system that wrote it. */
const plain = (path: string): string => path.replaceAll('\\', '/').replace(/^(\.{1,2}\/)+|^\/+/, '');
