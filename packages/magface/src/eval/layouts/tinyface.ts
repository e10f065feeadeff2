/**
 * The layout of TinyFace, as published, whose protocol is identification (1:N):
 *
 *     Testing_Set/Gallery_Match/*.jpg          gallery images of people with probes
 *     Testing_Set/Gallery_Distractor/*.jpg     other people, 153,428 images
 *     Testing_Set/Probe/*.jpg                  images to be identified
 *     Testing_Set/gallery_match_img_ID_pairs.mat    gallery_set: names, gallery_ids: people
 *     Testing_Set/probe_img_ID_pairs.mat            probe_set: names, probe_ids: people
 *
 * @see Cheng, Zhu and Gong, "Low-Resolution Face Recognition", ACCV 2018
 */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FormatError, MagfaceError } from '../../errors.ts';
import { openBytes } from '../../format/byte-source.ts';
import { type MatArray, readMatFile } from '../../format/mat-file.ts';
import { isImageName } from '../../image-names.ts';
import { fileImage, type SetImage } from '../face-set.ts';

/** Images to be searched for among others. */
export interface IdentificationSet {
  readonly name: string;
  /** (N) the gallery, then the distractors, then the probes. */
  readonly images: readonly SetImage[];
  /** (G) person of each gallery image; distractors are people of their own. */
  readonly gallery: Int32Array;
  /** (P) person of each probe, whose images come last. */
  readonly probes: Int32Array;
  /** Gallery images of people without probes. */
  readonly distractors: number;
  readonly notes: readonly string[];
}

const lists = {
  gallery: {
    file: 'gallery_match_img_ID_pairs.mat',
    names: 'gallery_set',
    ids: 'gallery_ids',
    images: 'Gallery_Match',
  },
  probe: { file: 'probe_img_ID_pairs.mat', names: 'probe_set', ids: 'probe_ids', images: 'Probe' },
} as const;
const distractorFolder = 'Gallery_Distractor';

/** @returns TinyFace's folder of test images; undefined for another set */
export const tinyFaceFolder = (folder: string): string | undefined =>
  [join(folder, 'Testing_Set'), folder].find((path) => existsSync(join(path, lists.probe.file)));

/**
 * @param folder - as {@link tinyFaceFolder} found it
 * @param images - folder of the images, if they are aligned copies elsewhere. @default the folder
 * @throws {FormatError} if a list is not as published
 * @throws {MagfaceError} `image_unknown` if an image of a list is missing
 */
export async function openTinyFace(folder: string, images: string = folder): Promise<IdentificationSet> {
  const gallery = await readList(folder, 'gallery');
  const probe = await readList(folder, 'probe');
  const distractors = (await readdir(join(images, distractorFolder)).catch(() => []))
    .filter((name) => isImageName(name))
    .sort();
  const opened: SetImage[] = [];
  for (const [place, names] of [
    [lists.gallery.images, gallery.names],
    [distractorFolder, distractors],
    [lists.probe.images, probe.names],
  ] as const)
    for (const name of names) opened.push(await imageOf(images, `${place}/${name}`));
  const most = Math.max(...gallery.ids, ...probe.ids);
  return {
    name: 'TinyFace',
    images: opened,
    gallery: Int32Array.from([...gallery.ids, ...distractors.map((_, i) => most + 1 + i)]),
    probes: Int32Array.from(probe.ids),
    distractors: distractors.length,
    notes: distractors.length > 0 ? [] : [`${distractorFolder} has no images: without distractors ranks are too good.`],
  };
}

async function imageOf(folder: string, name: string): Promise<SetImage> {
  if (existsSync(join(folder, name))) return fileImage(name, join(folder, name));
  throw new MagfaceError('image_unknown', {
    expected: `every image of TinyFace's lists in ${folder}`,
    problem: `${name} is missing`,
    remedy: 'unpack the whole set',
  });
}

async function readList(
  folder: string,
  which: keyof typeof lists,
): Promise<{ readonly names: readonly string[]; readonly ids: readonly number[] }> {
  const { file, names, ids } = lists[which];
  const path = join(folder, file);
  const source = await openBytes(path);
  try {
    const arrays = await readMatFile(source);
    const found = { names: textsOf(arrays.get(names)), ids: numbersOf(arrays.get(ids)) };
    if (found.names.length > 0 && found.names.length === found.ids.length) return found;
    throw new FormatError(
      path,
      {
        expected: `as many texts in ${names} as numbers in ${ids}`,
        problem: `found ${found.names.length} and ${found.ids.length}`,
        remedy: "use the set's original file",
      },
      { offset: 0 },
    );
  } finally {
    await source.close();
  }
}

/** Names are cells of text; those in cells of their own are unpacked. */
function textsOf(array: MatArray | undefined): string[] {
  if (array?.kind === 'cell') return array.items.flatMap(textsOf);
  return array?.kind === 'text' ? [array.text] : [];
}

const numbersOf = (array: MatArray | undefined): number[] => (array?.kind === 'numbers' ? [...array.values] : []);
