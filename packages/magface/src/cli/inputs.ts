/**
 * Finds a command's images. All are listed before a model loads, so that a wrong path fails at once and the
 * bar knows the total; a name takes about a hundred bytes, so millions fit.
 */
import { existsSync, realpathSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname, extname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { glob, isDynamicPattern } from 'tinyglobby';
import { ConfigError, ImageError } from '../errors.ts';
import { imageKinds, isForeignImageName, isImageName, isRawName, withoutImageEnding } from '../image-names.ts';
import { counted } from './output.ts';

/** One image: `name` as given by the user, and its `path` (or https: address). */
export interface ImageFile {
  readonly name: string;
  readonly path: string;
  /** Set for a name without images, such as an empty folder. It fails in its turn, like a missing file. */
  readonly error?: ImageError;
}

export interface InputSources {
  /** Lists of images. @default none */
  readonly list?: readonly string[] | undefined;
  /** Base folder of listed paths. @default the current folder, else the list's folder */
  readonly root?: string | undefined;
  readonly stdin: NodeJS.ReadableStream;
  readonly signal: AbortSignal;
  /** Receives a sentence about other files in each folder or glob. @default none */
  readonly onNote?: ((line: string) => void) | undefined;
}

/**
 * Includes images of unsupported kinds, such as BMP: each is refused by name in its turn.
 *
 * @returns the images in the order of the words, sorted within each folder and glob
 * @throws {ConfigError} if nothing is named, or no named folder, glob, list or stdin has an image
 */
export async function findImages(words: readonly string[], sources: InputSources): Promise<ImageFile[]> {
  const lists = sources.list ?? [];
  if (words.length === 0 && lists.length === 0)
    throw new ConfigError('input', {
      expected: 'images',
      received: 'none',
      remedy: 'pass files, folders, globs, - or --list FILE',
    });
  const found: ImageFile[] = [];
  const search = async (name: string, images: Promise<ImageFile[]>): Promise<void> => {
    for (const image of await images.catch((error: unknown) => withoutImages(name, error))) found.push(image);
  };
  for (const word of words) await search(word, expand(word, sources));
  for (const list of lists) await search(list, readList(list, sources));
  if (found.every(({ error }) => error !== undefined)) throw found[0]!.error!.cause;
  return found;
}

/** @returns a failed entry instead of images; @throws all other errors */
function withoutImages(name: string, error: unknown): ImageFile[] {
  if (!(error instanceof ConfigError)) throw error;
  const failure = new ImageError('image_missing', name, error, { cause: error });
  return [{ name, path: resolve(name), error: failure }];
}

async function expand(word: string, sources: InputSources): Promise<ImageFile[]> {
  if (word === '-') return readStdin(sources);
  if (/^https?:\/\//i.test(word)) return [{ name: word, path: word }];
  const path = resolve(word);
  const there = await stat(path).catch(() => undefined);
  if (there?.isDirectory() === true) return searchFolder(word, path, sources);
  if (there !== undefined || !isDynamicPattern(word)) return [{ name: word, path }]; // a missing file fails in its turn
  return searchGlob(word, sources);
}

async function searchFolder(word: string, path: string, { signal, onNote }: InputSources): Promise<ImageFile[]> {
  const files = await glob('**/*', { cwd: path, expandDirectories: false, onlyFiles: true, dot: false, signal });
  const images = distinctImages(files, { folder: path, word, onNote });
  if (images.length > 0) return images.map((file) => ({ name: join(word, file), path: join(path, file) }));
  const holds = files.length === 0 ? 'it is empty' : `none of its files has an image extension (${kindsOf(files)})`;
  throw new ConfigError('input', {
    expected: `images in the folder ${word}`,
    problem: holds,
    remedy: `put ${imageKinds} files there`,
  });
}

async function searchGlob(pattern: string, { signal, onNote }: InputSources): Promise<ImageFile[]> {
  const files = await glob(pattern, { expandDirectories: false, onlyFiles: true, signal });
  const images = distinctImages(files, { folder: '.', word: pattern, onNote });
  if (images.length > 0) return images.map((name) => ({ name, path: resolve(name) }));
  const holds =
    files.length === 0 ? 'nothing matches' : `none of the matching files has an image extension (${kindsOf(files)})`;
  const remedy = `check the pattern, or name the folder; images are ${imageKinds} files`;
  throw new ConfigError('input', { expected: `images that match ${pattern}`, problem: holds, remedy });
}

interface Search extends Pick<InputSources, 'onNote'> {
  readonly folder: string;
  /** As the user typed it. */
  readonly word: string;
}

/** @returns files with image extensions, sorted; links to the same photo count once, and so do a RAW file and its JPEG */
function distinctImages(files: readonly string[], { folder, word, onNote }: Search): string[] {
  const all = files.filter((file) => isImageName(file) || isForeignImageName(file)).sort(byName);
  const stills = new Set(all.filter((file) => !isRawName(file)).map(withoutImageEnding));
  const named = all.filter((file) => !isRawName(file) || !stills.has(withoutImageEnding(file)));
  const clips = new Set(files.filter((file) => isClip.test(file) && stills.has(file.replace(isClip, ''))));
  const root = placeOf(folder);
  const chosen = new Map<string, string>(); // the name of each photo, by real path
  for (const file of named) {
    const place = placeOf(join(folder, file));
    if (!chosen.has(place) || place === join(root, file)) chosen.set(place, file); // prefer its own name to a link
  }
  const images = [...chosen.values()].sort(byName);
  const skip = (count: number, what: string, why: string): void => {
    if (count > 0) onNote?.(`Skipped in ${word}: ${counted(count, what)} ${why}.`);
  };
  skip(named.length - images.length, 'link', 'to photos that are already included');
  skip(all.length - named.length, 'RAW file', 'beside the same picture in another format');
  skip(clips.size, 'clip', 'of live photos, of which the stills are included');
  const others = files.filter((file) => !isImageName(file) && !isForeignImageName(file) && !clips.has(file));
  if (images.length > 0) skip(others.length, 'file', `of other kinds (${kindsOf(others)})`);
  return images;
}

/** A live photo's clip has the name of its still. */
const isClip = /\.(mov|mp4)$/i;

/** A file's path with all links resolved. */
function placeOf(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path; // deleted since: it fails in its turn
  }
}

/** Extensions of other files, the most frequent first: `.txt, .mp4, ...` */
function kindsOf(files: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const file of files) {
    const ending = extname(file).toLowerCase() || 'without an extension';
    counts.set(ending, (counts.get(ending) ?? 0) + 1);
  }
  const endings = [...counts].sort((a, b) => b[1] - a[1]).map(([ending]) => ending);
  return endings.length > 4 ? `${endings.slice(0, 4).join(', ')}, ...` : endings.join(', ');
}

async function readList(list: string, { root }: InputSources): Promise<ImageFile[]> {
  const file = resolve(list);
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new ConfigError(
      'list',
      { expected: `a list of images at ${list}`, problem: 'it cannot be read', remedy: 'check its path' },
      { cause },
    );
  });
  const names = text.split('\n').flatMap((line) => line.trim().split(/\s+/)[0] || []);
  if (names.length === 0)
    throw new ConfigError('list', {
      expected: `one image per line in ${list}`,
      problem: 'it is empty',
      remedy: 'write their paths into it',
    });
  const locate = (name: string): string => {
    if (root !== undefined) return resolve(root, name);
    const here = resolve(name);
    const beside = resolve(dirname(file), name);
    return !existsSync(here) && existsSync(beside) ? beside : here;
  };
  return names.map((name) => ({ name, path: /^https?:\/\//i.test(name) ? name : locate(name) }));
}

/** One path per line, spaces kept; NUL also ends a path, as in `find -print0`. */
async function readStdin({ stdin, signal }: InputSources): Promise<ImageFile[]> {
  const names: string[] = [];
  const lines = createInterface({ input: stdin, signal, crlfDelay: Number.POSITIVE_INFINITY });
  // One by one: `-print0` gives one line, and a call cannot take hundreds of thousands of arguments.
  for await (const line of lines) for (const name of line.split('\0')) if (name.trim() !== '') names.push(name);
  signal.throwIfAborted();
  if (names.length === 0)
    throw new ConfigError('input', {
      expected: 'one path per line on stdin',
      problem: 'it was empty',
      remedy: 'pipe paths in, for example `find . | magface quality -`',
    });
  return names.map((name) => ({ name, path: /^https?:\/\//i.test(name) ? name : resolve(name) }));
}

/** By code units: the same order in every locale. */
const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
