/** A folder per person: whose photo is whose, and which photo counts first. */
import { stat } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import { ConfigError, ImageError } from '../errors.ts';
import { nameFault } from '../gallery/person-name.ts';
import { product, unitRows } from '../row-products.ts';
import type { ImageFile } from './inputs.ts';

/** @throws {ConfigError} if the inputs are not folders: their names would not be known */
export async function expectFolders(inputs: readonly string[], list: readonly string[] | undefined): Promise<void> {
  const refuse = (what: string): ConfigError =>
    new ConfigError('person', {
      expected: '--person NAME, or a folder that holds a folder for each person,',
      problem: what,
      remedy: 'pass one of them',
    });
  if (list !== undefined) throw refuse('received a list without --person');
  for (const input of inputs) {
    const found = await stat(input).catch(() => undefined);
    if (found?.isDirectory() !== true) throw refuse(`${input} is not a folder`);
  }
}

/**
 * @param inputs - folders
 * @returns the name of the folder of a person that holds the image
 * @throws {ImageError} if the image lies beside these folders, or the name is invalid
 */
export function personOf({ name }: ImageFile, inputs: readonly string[]): string {
  const paths = inputs.map((input) => relative(input, name).split(sep)).filter(([first]) => first !== '..');
  const [person, image] = paths.sort((a, b) => a.length - b.length)[0] ?? [];
  const fault = image === undefined ? 'it lies in none' : nameFault(person!);
  if (fault === undefined) return person!;
  throw new ImageError('person_unknown', name, {
    expected: `${name} in a folder with the name of its person`,
    problem: fault,
    remedy: 'move it, or pass --person',
  });
}

/** @returns the items by the mean similarity of their faces to the others, greatest first */
export function centralFirst<Item extends { readonly face: { readonly embedding: Float32Array } }>(
  items: readonly Item[],
): Item[] {
  const units = unitRows(items.map(({ face }) => face.embedding));
  const dimension = units.length / Math.max(1, items.length);
  const sum = new Float32Array(dimension);
  for (let i = 0; i < units.length; i++) sum[i % dimension]! += units[i]!;
  const central = items.map((item, i) => ({ item, mean: product(units, i * dimension, sum, 0, dimension) }));
  return central.sort((a, b) => b.mean - a.mean).map(({ item }) => item);
}
