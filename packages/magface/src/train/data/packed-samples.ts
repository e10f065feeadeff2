/** Training sets in packed files: RecordIO and webdataset's tar shards. Keeps only the images' locations. */
import { basename, dirname } from 'node:path';
import { ConfigError } from '../../errors.ts';
import { readFaceRecords } from '../../format/face-records.ts';
import type { PackedImage } from '../../format/packed-image.ts';
import { openRecordsSync } from '../../format/record-file.ts';
import { openTarShardSync, type TarEntry, type TarSample, type TarShard } from '../../format/tar-shard.ts';
import { isImageName } from '../../image-names.ts';
import { type Dataset, isImage, sampleTable } from './samples.ts';

/**
 * @param file - a `.rec` with its `.idx`
 * @throws {FormatError} if the file or its index is damaged
 * @throws {ConfigError} if it contains no image
 */
export function readRecordSamples(file: string): Dataset {
  const records = openRecordsSync(file);
  try {
    const { keys, labels, classes } = readFaceRecords(records);
    if (keys.length === 0)
      throw new ConfigError('train-list', {
        expected: 'image records',
        problem: `${file} has none`,
        remedy: 'pass another .rec',
      });
    const [offsets, lengths] = [new Float64Array(keys.length), new Float64Array(keys.length)];
    for (const [i, key] of keys.entries()) {
      const { offset, length } = records.place(key);
      offsets[i] = offset;
      lengths[i] = length;
    }
    const within = (i: number): PackedImage => ({ file, offset: offsets[i]!, length: lengths[i]!, form: 'record' });
    const samples = sampleTable(keys.length, (i) => ({
      path: `${file}:${keys[i]}`,
      label: labels[i]!,
      within: within(i),
    }));
    return { samples, classes };
  } finally {
    records.closeSync();
  }
}

/** A shard's statement of a sample's class: a number, or the folder in its name. */
type Told = number | string;

/**
 * Reads shards of one set. The class is the number in `cls`, or `label` in `json`; if samples have neither, the folder in
 * their names is the person. Samples without an image are skipped.
 *
 * @throws {FormatError} if a shard is damaged or a class is invalid
 * @throws {ConfigError} if the shards contain no image, or one of an unreadable kind
 */
export function readTarSamples(files: readonly string[]): Dataset {
  const [shards, offsets, lengths]: [number[], number[], number[]] = [[], [], []];
  const [names, told]: [string[], Told[]] = [[], []];
  for (const [i, file] of files.entries()) {
    const shard = openTarShardSync(file);
    try {
      for (const sample of shard.samples) {
        const image = imageOf(file, sample);
        if (image === undefined) continue;
        shards.push(i);
        offsets.push(image.offset);
        lengths.push(image.size);
        names.push(image.name);
        told.push(classOf(shard, sample, image));
      }
    } finally {
      shard.closeSync();
    }
  }
  if (told.length === 0)
    throw new ConfigError('train-list', {
      expected: `images in ${files.join(', ')}`,
      problem: 'found none',
      remedy: 'check the shards',
    });
  const { labels, classes, people } = labelsOf(files, told);
  const samples = sampleTable(labels.length, (i) => {
    const file = files[shards[i]!]!;
    const within: PackedImage = { file, offset: offsets[i]!, length: lengths[i]!, form: 'image' };
    return { path: `${file}:${names[i]}`, label: labels[i]!, within };
  });
  return { samples, classes, ...(people && { names: people }) };
}

function imageOf(file: string, { files }: TarSample): TarEntry | undefined {
  const entries = [...files.values()];
  // The second search finds images of unreadable kinds, which are rejected.
  return entries.find(({ name }) => isImageName(name)) ?? entries.find(({ name }) => isImage(`${file}:${name}`));
}

function classOf(shard: TarShard, { files }: TarSample, image: TarEntry): Told {
  const [cls, json] = [files.get('cls'), files.get('json')];
  const entry = cls ?? json;
  if (entry === undefined) return basename(dirname(image.name));
  const text = entry.size <= 1 << 16 ? shard.readSync(entry).toString('utf8').trim() : '';
  const label = cls === undefined ? jsonLabel(text) : /^\d+$/.test(text) ? Number(text) : undefined;
  if (label !== undefined && label <= 0xffff_ffff) return label;
  throw shard.error(
    {
      expected: `the class of ${image.name}, a whole number from 0, in ${entry.name}`,
      problem: 'found something else',
      remedy: 'correct it',
    },
    entry,
  );
}

function jsonLabel(text: string): number | undefined {
  try {
    const { label } = JSON.parse(text) as { label?: unknown };
    return Number.isSafeInteger(label) && (label as number) >= 0 ? (label as number) : undefined;
  } catch {
    return undefined;
  }
}

interface Labels {
  readonly labels: Uint32Array;
  readonly classes: number;
  readonly people?: readonly string[];
}

function labelsOf(files: readonly string[], told: readonly Told[]): Labels {
  const people = new Set(told.filter((one) => typeof one === 'string'));
  if (people.size === 0) {
    const labels = Uint32Array.from(told as readonly number[]);
    return { labels, classes: labels.reduce((most, label) => Math.max(most, label), 0) + 1 };
  }
  const isMixed = told.some((one) => typeof one === 'number');
  if (isMixed || people.has('.')) {
    throw new ConfigError('train-list', {
      expected: `a class for each image of ${files.join(', ')}`,
      problem: 'some have none',
      remedy: 'add a .cls or .json next to the image, or one folder per person',
    });
  }
  const sorted = [...people].sort();
  const known = new Map(sorted.map((name, label) => [name, label]));
  return {
    labels: Uint32Array.from(told, (name) => known.get(name as string)!),
    classes: sorted.length,
    people: sorted,
  };
}
