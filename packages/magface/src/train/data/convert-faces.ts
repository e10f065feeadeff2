/**
 * Converts training sets to `.rec`, tar shards, or a folder with one folder per person and the official list. Images are
 * copied byte for byte; nothing is decoded.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { ConfigError, ImageError } from '../../errors.ts';
import { writeFaceRecords } from '../../format/face-records.ts';
import { FileWriter } from '../../format/file-writer.ts';
import { readPackedFile } from '../../format/packed-image.ts';
import { createTarWriter } from '../../format/tar-shard.ts';
import { imageKinds, isImageName } from '../../image-names.ts';
import { makeFolder } from '../../machine/make-folder.ts';
import { readDataset } from './dataset.ts';
import type { Dataset, Sample } from './samples.ts';

export interface ConvertFacesOptions {
  /** Folder that the paths of a list are relative to. @default the current folder, else the list's */
  readonly root?: string | undefined;
  /** Images in one tar; more go to `NAME-000001.tar` and so on. @default all in one */
  readonly shardSize?: number | undefined;
}

/**
 * @param input - as for training: a list, a folder with one folder per person, `train.rec`, tar shards
 * @param output - `NAME.rec` (with its `.idx`), `NAME.tar`, or a folder, which gets `00000/NAME.jpg` … and `train.list`
 * @returns the number of images written
 * @throws {ConfigError} if the output has another extension
 * @throws {ImageError} if the output is a tar or folder and an image is of an unreadable kind
 */
export async function convertFaces(input: string, output: string, options: ConvertFacesOptions = {}): Promise<number> {
  const kind = extname(output);
  if (!['.rec', '.tar', ''].includes(kind)) {
    throw new ConfigError('output', {
      expected: 'an output .rec, .tar or folder',
      received: output,
      remedy: 'rename it',
    });
  }
  const dataset = readDataset(input, { root: options.root });
  if (kind === '.rec') return toRecords(output, dataset);
  return kind === '.tar' ? toTar(output, dataset, options.shardSize) : toFolder(output, dataset);
}

const imageOf = async ({ path, within }: Sample): Promise<Buffer> =>
  within === undefined ? await readFile(path) : readPackedFile(within);

/** All indices, grouped by person, in the order of the classes. */
function byPerson({ samples }: Dataset): Uint32Array {
  const labels = Uint32Array.from(samples, ({ label }) => label);
  return Uint32Array.from(labels, (_, i) => i).sort((a, b) => labels[a]! - labels[b]! || a - b);
}

async function toRecords(output: string, dataset: Dataset): Promise<number> {
  const order = byPerson(dataset);
  let next = 0;
  async function* person(label: number): AsyncGenerator<Uint8Array> {
    for (; next < order.length; next++) {
      const sample = dataset.samples.at(order[next]!)!;
      if (sample.label !== label) return;
      yield await imageOf(sample);
    }
  }
  const people = Array.from({ length: dataset.classes }, (_, label) => person(label));
  return (await writeFaceRecords(output, people)).images;
}

async function toTar(output: string, { samples }: Dataset, shardSize = samples.length): Promise<number> {
  const shards = Math.ceil(samples.length / shardSize);
  for (let shard = 0; shard < shards; shard++) {
    const name = shards === 1 ? output : output.replace(/\.tar$/, `-${String(shard).padStart(6, '0')}.tar`);
    const tar = await createTarWriter(name);
    try {
      for (let i = shard * shardSize; i < Math.min(samples.length, (shard + 1) * shardSize); i++) {
        const sample = samples.at(i)!;
        const [key, image] = [String(i).padStart(9, '0'), await imageOf(sample)];
        await tar.write(`${key}.${endingOf(image, sample)}`, image);
        await tar.write(`${key}.cls`, Buffer.from(String(sample.label)));
      }
    } catch (error) {
      await tar.discard();
      throw error;
    }
    await tar.close();
  }
  return samples.length;
}

async function toFolder(output: string, dataset: Dataset): Promise<number> {
  const digits = Math.max(5, String(dataset.classes - 1).length); // sorts names like the classes
  await makeFolder(output);
  const list = await FileWriter.create(join(output, 'train.list'));
  try {
    const names = new Set<string>();
    let label = -1;
    for (const index of byPerson(dataset)) {
      const sample = dataset.samples.at(index)!;
      const person = String(sample.label).padStart(digits, '0');
      if (sample.label !== label) {
        label = sample.label;
        names.clear();
        await makeFolder(join(output, person));
      }
      const image = await imageOf(sample);
      const path = `${person}/${freeName(sample, names)}.${endingOf(image, sample)}`;
      await writeFile(join(output, path), image);
      await list.append(Buffer.from(`${path} 0 ${label} 0\n`));
    }
  } catch (error) {
    await list.discard();
    throw error;
  }
  await list.commit();
  return dataset.samples.length;
}

/**
 * The image's own name without folders and extension. Characters that would leave the folder, hide the file or break the
 * official list, whose names have no spaces, become `_`; a number is added if the person already has the name.
 */
function freeName({ path, within }: Sample, taken: Set<string>): string {
  const own = (within === undefined ? path : path.slice(within.file.length + 1)).replace(/^.*[/\\]/, '');
  const safe = own.replace(/\.[A-Za-z]{2,5}$/, '').replace(/^\.+|[^\p{L}\p{N}._-]/gu, '_') || '_';
  let name = safe.slice(0, 100);
  for (let i = 2; taken.has(name); i++) name = `${safe.slice(0, 100)}-${i}`;
  taken.add(name);
  return name;
}

/** First bytes of the image formats, one character per byte. */
const beginnings: readonly (readonly [ending: string, bytes: RegExp])[] = [
  ['jpg', /^\xff\xd8/],
  ['png', /^\x89PNG/],
  ['webp', /^RIFF.{4}WEBP/s],
  ['avif', /^.{4}ftypavi[fs]/s],
  ['heic', /^.{4}ftyp(hei|hev|mif|msf)/s],
  ['tiff', /^(II[*+]\0|MM\0[*+])/],
  ['gif', /^GIF8/],
];

/**
 * Recognises the format by the first bytes. A damaged file keeps its extension, so that readers of the set report it.
 *
 * @throws {ImageError} for another kind of file, which readers of the set would skip
 */
function endingOf(image: Buffer, { path }: Sample): string {
  const first = image.toString('latin1', 0, 16);
  const known = beginnings.find(([, bytes]) => bytes.test(first));
  if (known !== undefined) return known[0];
  if (isImageName(path)) return extname(path).slice(1).toLowerCase();
  throw new ImageError('image_unreadable', path, {
    expected: `a ${imageKinds} image`,
    subject: path,
    problem: 'is not one',
    remedy: 'save it as PNG, or leave it out',
  });
}
