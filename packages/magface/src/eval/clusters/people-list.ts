/** Finds the person of every face: by the folder of its image, or by a list. */
import { readFile } from 'node:fs/promises';
import { FormatError, MagfaceError } from '../../errors.ts';
import { lineError, textLines } from '../../format/text-lines.ts';
import { type FeatureSet, rowsOf } from '../feature-set.ts';
import { rowFinder } from '../pairs.ts';

/**
 * The person of each image is its folder, as in `NAME/NAME_0001.jpg`. Folders `frontal` and `profile` are views (CFP): there
 * the folder above counts.
 *
 * @param names - (N) paths of images
 * @returns (N) numbers of people, from 0 in the order of their first image
 * @throws {MagfaceError} `evaluation_impossible` if an image has no folder
 */
export function peopleOf(names: readonly string[]): Uint32Array {
  const known = new Map<string, number>();
  return Uint32Array.from(names, (name) => {
    const folder = name.split('/').slice(0, -1);
    while (/^(frontal|profile)$/.test(folder.at(-1) ?? '')) folder.pop();
    const person = folder.join('/');
    if (person === '' || person === '.') {
      throw new MagfaceError('evaluation_impossible', {
        expected: 'the person as the folder of every image',
        problem: `"${name}" has none`,
        remedy: 'pass a list of "name identity" lines',
      });
    }
    const number = known.get(person) ?? known.size;
    known.set(person, number);
    return number;
  });
}

/**
 * Reads `name identity` lines. Names may leave out leading folders and the ending; the list may hold more images than the
 * features. Without names in the features, line k is feature k.
 *
 * @returns (N) numbers of people, from 0
 * @throws {FormatError} if a line is not a name and an identity, or a feature has no line
 */
export async function readPeople(file: string, features: FeatureSet): Promise<Uint32Array> {
  const known = new Map<string, number>();
  const lines = textLines(await readFile(file, 'utf8')).map((line) => {
    const [name = '', identity, ...rest] = line.text.split(/\s*,\s*|\s+/);
    if (identity === undefined || rest.length > 0)
      throw lineError(
        file,
        { expected: `"name identity" on line ${line.number}`, received: `"${line.text}"`, remedy: 'correct the line' },
        line,
      );
    const person = known.get(identity) ?? known.size;
    known.set(identity, person);
    return { name, person };
  });
  const { names } = features;
  if (names === undefined) {
    if (lines.length === rowsOf(features)) return Uint32Array.from(lines, ({ person }) => person);
    throw new FormatError(file, {
      expected: `${rowsOf(features)} lines (one per feature)`,
      received: lines.length,
      remedy: 'write one line for each feature, in the same order',
    });
  }
  const find = rowFinder(lines.map(({ name }) => name));
  return Uint32Array.from(names, (name) => {
    const [row] = find(name);
    if (row !== undefined) return lines[row]!.person;
    throw new FormatError(file, {
      expected: 'an identity for every feature',
      problem: `"${name}" has none`,
      remedy: 'add a line for it',
    });
  });
}
