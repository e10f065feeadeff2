/** Opens training sets, and sets to test on, as images with labels. */
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import type { LabelledSet } from '../../eval/data/check-data.ts';
import { openFaceSet } from '../../eval/open-face-set.ts';
import { sha256 } from '../../format/digest.ts';
import { readPackedFile } from '../../format/packed-image.ts';
import { readDataset } from '../../train/data/dataset.ts';

/** A set as `data check` uses it. */
export interface OpenedSet extends LabelledSet {
  /** Files of the images; an image packed in a larger file has none. */
  readonly files: readonly (string | undefined)[];
}

/**
 * @param source - as for training: a list, a folder with one folder per person, `.rec`, tar shards
 * @throws {ConfigError} if it does not exist
 */
export async function openTrainingSet(source: string, root: string | undefined): Promise<OpenedSet> {
  const { samples } = readDataset(source, { root });
  const images: LabelledSet['images'][number][] = [];
  for (const { path, within } of samples) {
    const read = async (): Promise<Uint8Array> => (within === undefined ? readFile(path) : readPackedFile(within));
    // A missing file is reported with the images that cannot be used.
    const digest = await read().then(sha256, () => `missing ${path}`);
    images.push({ name: path, digest, read });
  }
  const labels = Uint32Array.from(samples, ({ label }) => label);
  const files = Array.from(samples, ({ path, within }) => (within === undefined ? path : undefined));
  return { name: source, images, labels, files };
}

/** @param source - as for training; or a `.bin` of pairs, in which every image is a person of its own */
export async function openTestSet(source: string, root: string | undefined): Promise<OpenedSet> {
  if (extname(source) !== '.bin') return { ...(await openTrainingSet(source, root)), isTest: true };
  const { images } = await openFaceSet(source);
  return {
    name: source,
    images,
    labels: Uint32Array.from(images.keys()),
    files: images.map(() => undefined),
    isTest: true,
  };
}
