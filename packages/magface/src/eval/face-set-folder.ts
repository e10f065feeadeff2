/**
 * A folder as a face set: images anywhere below it, and a list of pairs that names them. Known layouts are found by
 * name (LFW's pairs.txt, the folders of CFP, RFW and SCface, …); any other list must be given.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { glob } from 'tinyglobby';
import { ConfigError, MagfaceError } from '../errors.ts';
import { isForeignImageName, isImageName } from '../image-names.ts';
import { type FaceSet, fileImage, foldOrder, type SetImage, setName } from './face-set.ts';
import type { CfpProtocol } from './layouts/cfp.ts';
import { publishedLayout } from './layouts/published.ts';
import { type PairList, readPairList } from './pair-list.ts';
import { rowFinder } from './pairs.ts';

/** The parts of a set. */
export interface FolderSetOptions {
  /** The list of pairs. @default the only known list in the folder */
  readonly pairs?: string | undefined;
  /** Folder of the images. @default the set's folder */
  readonly images?: string | undefined;
  /** CFP's protocol. @default 'fp' */
  readonly protocol?: CfpProtocol | undefined;
  /** Number of folds if the list has none. @default 10 */
  readonly folds?: number | undefined;
}

/** Names of published lists, and their sets. */
const knownLists: Readonly<Record<string, string>> = {
  'pairs.txt': '',
  'pairs.csv': '',
  'pair.list': '',
  'pairs_CALFW.txt': 'CALFW',
  'pairs_CPLFW.txt': 'CPLFW',
  'xqlfw_pairs.txt': 'XQLFW',
  'agedb_30_pairs.txt': 'AgeDB-30',
  'agedb_30_pair.txt': 'AgeDB-30',
};

/**
 * @throws {ConfigError} if the folder has no list of pairs, or several
 * @throws {MagfaceError} `image_unknown` if a pair names a missing image
 */
export async function openFolderSet(folder: string, options: FolderSetOptions = {}): Promise<FaceSet> {
  const { protocol = 'fp', folds = 10 } = options;
  const layout = options.pairs === undefined ? await publishedLayout(folder, { protocol, folds }) : undefined;
  const list = layout?.list ?? (await readList(options.pairs ?? onlyList(folder), folder));
  const { names, paths } = await namesOf(list, options.images ?? folder);
  const find = imageFinder(names, options.images ?? folder);
  const [left, right] = [list.left.map(find), list.right.map(find)];
  const used = [...new Set([...left, ...right])].sort((a, b) => a - b);
  const row = new Map(used.map((old, i) => [old, i]));
  const order = foldOrder(list.same, folds);
  const sorted = <T>(values: readonly T[]): readonly T[] =>
    order === undefined ? values : order.map((i) => values[i]!);
  const rows = (side: readonly number[]): Uint32Array => Uint32Array.from(sorted(side), (old) => row.get(old)!);
  const images: SetImage[] = [];
  for (const i of used) images.push(await fileImage(names[i]!, paths[i]!)); // one open file at a time
  return {
    name: layout?.name ?? nameOf(options.pairs ?? onlyList(folder), folder),
    images,
    pairs: { left: rows(left), right: rows(right), same: Uint8Array.from(sorted([...list.same])) },
    columns: Object.fromEntries(Object.entries(list.columns).map(([key, column]) => [key, sorted(column)])),
    ...(layout?.viewOf && { views: images.map(({ name }) => layout.viewOf!(name)) }),
    notes: [
      ...(layout?.notes ?? []),
      ...(order === undefined
        ? []
        : [`The list defines no folds: each of ${folds} folds received equally many pairs of both kinds.`]),
    ],
    close: async () => undefined,
  };
}

function onlyList(folder: string): string {
  const found = Object.keys(knownLists).filter((name) => existsSync(join(folder, name)));
  if (found.length === 1) return join(folder, found[0]!);
  const there = found.length === 0 ? 'it contains none' : `it contains ${found.join(', ')}`;
  throw new ConfigError('pairs', {
    expected: `one list of pairs in ${folder}`,
    problem: there,
    remedy: 'name it with --pairs',
  });
}

function nameOf(list: string, folder: string): string {
  return knownLists[basename(list)] || setName(basename(resolve(folder)));
}

/** The official lists have only labels; `img.list` beside them has the images, two lines per pair. */
async function readList(file: string, folder: string): Promise<PairList> {
  const list = await readPairList(file);
  if (list.left.every((name) => name !== '')) return list;
  const beside = join(folder, 'img.list');
  const text = await readFile(beside, 'utf8').catch(() => '');
  const names = text.split(/\r?\n/).flatMap((line) => line.trim().split(/\s+/)[0] || []);
  if (names.length !== 2 * list.same.length)
    throw new ConfigError('pairs', {
      expected: `${2 * list.same.length} images in ${beside} (two per pair)`,
      received: names.length,
      remedy: 'add the missing images, because the list of pairs contains only labels',
    });
  return { ...list, left: names.filter((_, i) => i % 2 === 0), right: names.filter((_, i) => i % 2 === 1) };
}

/** Paths stay as they are; for other names all images of the folder are candidates. */
async function namesOf(
  list: PairList,
  folder: string,
): Promise<{ readonly names: readonly string[]; readonly paths: readonly string[] }> {
  const listed = [...new Set([...list.left, ...list.right])];
  if (listed.every((name) => existsSync(resolve(folder, name))))
    return { names: listed, paths: listed.map((name) => resolve(folder, name)) };
  const found = await glob('**/*', { cwd: folder, expandDirectories: false });
  const names = found.filter((name) => isImageName(name) || isForeignImageName(name)).sort();
  return { names, paths: names.map((name) => join(folder, name)) };
}

/** A missing image is an error, because fewer pairs would change the accuracy. */
function imageFinder(names: readonly string[], folder: string): (name: string, pair: number) => number {
  const rowsOfName = rowFinder(names);
  return (name, pair) => {
    const rows = rowsOfName(name);
    if (rows.length === 1) return rows[0]!;
    const subject = `"${name}" of pair ${pair + 1}`;
    if (rows.length === 0)
      throw new MagfaceError('image_unknown', {
        expected: `every image of the list in ${folder}`,
        subject,
        problem: 'is missing',
        remedy: 'pass the images’ folder with --images, or complete the set',
      });
    const found = rows.map((row) => names[row]).sort();
    throw new MagfaceError('image_unknown', {
      expected: 'one image',
      subject,
      problem: `may be ${found.join(' or ')}`,
      remedy: 'name the images’ folder with --images',
    });
  };
}
