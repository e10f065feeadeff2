/** Training sets as lists of files with a class each: the official list, or a folder a person. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { ConfigError, FormatError } from '../errors.ts';

/** One training image. */
export interface Sample {
  readonly path: string;
  /** Class, from 0. */
  readonly label: number;
}

/** A training set. */
export interface Dataset {
  readonly samples: readonly Sample[];
  /** K, the number of classes. */
  readonly classes: number;
  /** Names of the classes, where the source has them. */
  readonly names?: readonly string[];
}

/** Where images are and how many classes there shall be. */
export interface DatasetOptions {
  /** Folder that the list's paths are relative to. @default the current folder, else the list's, whichever has the first image */
  readonly root?: string | undefined;
  /** K, when it shall be more than the labels need. `--last-fc-size` @default the greatest label plus 1 */
  readonly classes?: number | undefined;
}

/**
 * @param source - a list (`imgname 0 id 0` a line, as the official code reads it; the name may have spaces), or a folder
 *   with a folder of images for each person
 * @throws {ConfigError} when the source or the root is not there
 * @throws {FormatError} naming the line that is wrong
 */
export function readDataset(source: string, options: DatasetOptions = {}): Dataset {
  if (!existsSync(source)) {
    throw new ConfigError('train-list', `Expected a list or a folder of training images but there is no ${source}.`);
  }
  if (options.root !== undefined && !existsSync(options.root)) {
    throw new ConfigError(
      'root',
      `Expected a folder that the list's paths are relative to but there is no ${options.root}.`,
    );
  }
  const dataset = statSync(source).isDirectory() ? readFolders(source) : readList(source, options.root);
  const classes = options.classes ?? dataset.classes;
  const beyond = dataset.samples.find(({ label }) => label >= classes);
  if (beyond === undefined) return { ...dataset, classes };
  throw new ConfigError(
    'last-fc-size',
    `Expected every label of ${source} to be below last-fc-size ${classes} but ${beyond.path} has ${beyond.label}: leave last-fc-size out, or set it to ${dataset.classes} or more.`,
  );
}

/** Joins several sources, the classes of each after those of the one before. */
export function readDatasets(sources: readonly string[], options: DatasetOptions = {}): Dataset {
  const [first, ...more] = sources;
  if (first === undefined)
    throw new ConfigError('train-list', 'Expected a list or a folder of training images but received none.');
  if (more.length === 0) return readDataset(first, options);
  const samples: Sample[] = [];
  let classes = 0;
  for (const source of sources) {
    const one = readDataset(source, { root: options.root });
    for (const { path, label } of one.samples) samples.push({ path, label: classes + label });
    classes += one.classes;
  }
  if (options.classes === undefined || options.classes >= classes)
    return { samples, classes: options.classes ?? classes };
  throw new ConfigError(
    'last-fc-size',
    `Expected last-fc-size of at least the ${classes} classes of all lists but received ${options.classes}.`,
  );
}

function readList(file: string, root: string | undefined): Dataset {
  const entries: Sample[] = [];
  for (const [i, line] of readFileSync(file, 'utf8').split('\n').entries()) {
    if (line.trim() === '') continue;
    const match = /^\s*(\S.*?)\s+\S+\s+(\d+)\s+\S+\s*$/.exec(line);
    if (match === null) {
      throw new FormatError(file, `Expected "imgname 0 id 0" in line ${i + 1} but found "${line.slice(0, 80)}".`);
    }
    entries.push({ path: match[1]!, label: Number(match[2]) });
  }
  const [first] = entries;
  if (first === undefined)
    throw new FormatError(file, 'Expected a line "imgname 0 id 0" for each image but it is empty.');
  const base = rootOf(file, first.path, root);
  const samples = entries.map(({ path, label }) => ({ path: isAbsolute(path) ? path : join(base, path), label }));
  const greatest = samples.reduce((most, { label }) => Math.max(most, label), 0);
  return { samples, classes: greatest + 1 };
}

function rootOf(file: string, first: string, root: string | undefined): string {
  if (isAbsolute(first)) return '';
  const found = [root ?? '.', dirname(file)].find((folder) => existsSync(join(folder, first)));
  if (found !== undefined && (root === undefined || found === root)) return found;
  throw new ConfigError(
    'root',
    `Expected the first image of ${file}, ${first}, to be in ${root ?? `the current folder or ${dirname(file)}`} but it is not: give the folder of the images with --root.`,
  );
}

const imageName = /\.(jpe?g|png|webp|bmp|tiff?|avif)$/i;

function readFolders(folder: string): Dataset {
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
  const samples = names.flatMap((name, label) =>
    readdirSync(join(folder, name))
      .filter((file) => imageName.test(file))
      .sort()
      .map((file) => ({ path: join(folder, name, file), label })),
  );
  if (samples.length > 0) return { samples, classes: names.length, names };
  throw new ConfigError('train-list', `Expected a folder of images for each person in ${folder} but found no image.`);
}
