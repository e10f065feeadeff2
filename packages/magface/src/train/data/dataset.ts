/** Training sets: the official list, a folder per person, InsightFace's `.rec`, tar shards. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, extname, isAbsolute, join } from 'node:path';
import { ConfigError } from '../../errors.ts';
import { lineError, textLines } from '../../format/text-lines.ts';
import { readRecordSamples, readTarSamples } from './packed-samples.ts';
import { type Dataset, isImage, joinSamples, type Sample } from './samples.ts';
import { groupSources } from './source-names.ts';

/** Location of the images and the number of classes. */
export interface DatasetOptions {
  /** Folder that the list's paths are relative to. @default the current folder, else the list's, whichever has the first image */
  readonly root?: string | undefined;
  /** K, if larger than the labels need. `--last-fc-size` @default the largest label plus 1 */
  readonly classes?: number | undefined;
}

/**
 * @param source - a list (`imgname 0 id 0` per line, as the official code reads it; the name may have spaces); a folder with
 *   one folder per person; a `.rec` with its `.idx`; or tar shards, also as `{000..012}` or `*`, or their folder
 * @throws {ConfigError} if the source or the root does not exist
 * @throws {FormatError} naming the invalid line or byte
 */
export function readDataset(source: string, options: DatasetOptions = {}): Dataset {
  return readDatasets([source], options);
}

/** Joins sources, with the classes of each after those of the previous one; tar shards of one folder are one source. */
export function readDatasets(sources: readonly string[], options: DatasetOptions = {}): Dataset {
  const { root } = options;
  if (root !== undefined && !existsSync(root)) {
    throw new ConfigError('root', {
      expected: "a folder that the list's paths are relative to",
      problem: `${root} does not exist`,
      remedy: 'check --root',
    });
  }
  const groups = groupSources(sources);
  if (root !== undefined && !groups.some(isList)) {
    throw new ConfigError('root', {
      expected: 'a list for --root (whose paths are relative to it)',
      problem: `${sources.join(', ')} is not a list`,
      remedy: 'leave --root out',
    });
  }
  const parts = groups.map((files) => readSource(files, root));
  const [first] = parts;
  if (first === undefined)
    throw new ConfigError('train-list', {
      expected: 'a list or a folder of training images',
      received: 'none',
      remedy: 'pass --train-list',
    });
  const joined = {
    samples: joinSamples(parts),
    classes: parts.reduce((sum, { classes }) => sum + classes, 0),
    sets: parts.map((_, k) => parts.slice(0, k).reduce((sum, { samples }) => sum + samples.length, 0)),
  };
  return withClasses(parts.length === 1 ? first : joined, sources, options.classes);
}

/** Whether a source is an official list: neither a folder nor a packed file. */
const isList = ([source = '']: readonly string[]): boolean =>
  !['.tar', '.rec'].includes(extname(source)) && !statSync(source).isDirectory();

function readSource(files: readonly string[], root: string | undefined): Dataset {
  const [source = ''] = files;
  switch (extname(source)) {
    case '.tar':
      return readTarSamples(files);
    case '.rec':
      return readRecordSamples(source);
    default:
      return statSync(source).isDirectory() ? readFolders(source) : readList(source, root);
  }
}

/** Number of people with images. */
export const peopleOf = ({ samples }: Dataset): number => new Set(Array.from(samples, ({ label }) => label)).size;

/** @returns `10554 images of 691 people in 695 classes`; mentions classes only if some have no image */
export function datasetSize(dataset: Dataset): string {
  const { samples, classes } = dataset;
  const people = peopleOf(dataset);
  return `${samples.length} images of ${people === 1 ? '1 person' : `${people} people`}${people === classes ? '' : ` in ${classes} classes`}`;
}

/** @throws {ConfigError} if the labels need more classes than requested */
function withClasses(dataset: Dataset, sources: readonly string[], wanted: number | undefined): Dataset {
  const classes = wanted ?? dataset.classes;
  if (dataset.classes <= classes) return { ...dataset, classes };
  for (const { path, label } of dataset.samples) {
    if (label < classes) continue;
    throw new ConfigError('last-fc-size', {
      expected: `every label of ${sources.join(', ')} to be below last-fc-size ${classes}`,
      problem: `${path} has ${label}`,
      remedy: `leave last-fc-size out, or set it to ${dataset.classes} or more`,
    });
  }
  return { ...dataset, classes };
}

function readList(file: string, root: string | undefined): Dataset {
  const entries: Sample[] = [];
  for (const line of textLines(readFileSync(file, 'utf8'))) {
    const parts = line.text.split(/(\s+)/); // words with the spaces between them, since names may contain spaces
    const label = parts.at(-3) ?? '';
    if (parts.length < 7 || !/^\d+$/.test(label)) {
      throw lineError(
        file,
        {
          expected: `"imgname 0 id 0" in line ${line.number}`,
          received: `"${line.text.slice(0, 80)}"`,
          remedy: 'correct the line',
        },
        line,
      );
    }
    entries.push({ path: parts.slice(0, -6).join(''), label: Number(label) });
  }
  const [first] = entries;
  if (first === undefined)
    throw lineError(file, {
      expected: 'a line "imgname 0 id 0" for each image',
      problem: 'the list is empty',
      remedy: 'add lines',
    });
  const base = rootOf(file, first.path, { root, key: 'root' });
  const samples = entries.map(({ path, label }) => ({ path: inRoot(base, path), label }));
  const greatest = samples.reduce((most, { label }) => Math.max(most, label), 0);
  return { samples, classes: greatest + 1 };
}

/**
 * @param first - the first name in the list `file`
 * @param root - as the user gave it; the only folder tried if given
 * @param key - setting that names it
 * @returns the folder that relative names in the list refer to; for absolute ones see {@link inRoot}
 * @throws {ConfigError} if the first image does not exist
 */
export function rootOf(
  file: string,
  first: string,
  { root, key }: { readonly root: string | undefined; readonly key: 'root' | 'eval-root' },
): string {
  if (isAbsolute(first)) return root ?? '';
  const found = [root ?? '.', ...(root === undefined ? [dirname(file)] : [])].find((folder) =>
    existsSync(join(folder, first)),
  );
  if (found !== undefined) return found;
  throw new ConfigError(key, {
    expected: `the first image of ${file}, ${first}, to be in ${root ?? `the current folder or ${dirname(file)}`}`,
    problem: 'it is missing',
    remedy: `pass the images' folder with --${key}`,
  });
}

/** @returns the path of a list's image */
export const inRoot = (root: string, name: string): string => (isAbsolute(name) ? name : join(root, name));

function readFolders(folder: string): Dataset {
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
  const samples = names.flatMap((name, label) =>
    readdirSync(join(folder, name))
      .sort()
      .map((file) => ({ path: join(folder, name, file), label }))
      .filter(({ path }) => isImage(path)),
  );
  if (samples.length > 0) return { samples, classes: names.length, names };
  throw new ConfigError('train-list', {
    expected: `a folder of images for each person in ${folder}`,
    problem: 'found no image',
    remedy: 'check the path',
  });
}
