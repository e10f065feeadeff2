/** Public research sets as distributed by their authors, and their conversion to the benchmarks' folders. */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, join, relative } from 'node:path';
import sharp from 'sharp';
import { alignmentMatrix, warp } from '../../packages/magface/src/align.ts';
import type { DetectedFace } from '../../packages/magface/src/face.ts';
import { readImage } from '../../packages/magface/src/infer/node/read-image.ts';
import type { Pixels } from '../../packages/magface/src/pixels.ts';
import { randomStream } from '../../packages/magface/src/random.ts';

/** A set that the user must download, because its terms require consent or its host a form. */
export interface ResearchSet {
  readonly title: string;
  readonly from: string;
  readonly terms: string;
  /** Required content of the downloaded folder. */
  readonly files: string;
  /** Path below the data folder. */
  readonly place: string;
  readonly arrange: (downloaded: string, place: string, tools: ArrangeTools) => Promise<string>;
}

export interface ArrangeTools {
  readonly detect: (image: Pixels) => Promise<readonly DetectedFace[]>;
  readonly onProgress?: (done: number, total: number) => void;
}

const isImage = (name: string): boolean => ['.jpg', '.jpeg', '.png'].includes(extname(name).toLowerCase());

export const imagesIn = (folder: string): string[] =>
  (readdirSync(folder, { recursive: true }) as string[]).filter(isImage).sort();

function expectCount(folder: string, what: string, expected: number, found: number): void {
  if (found !== expected)
    throw new Error(`Expected ${expected} ${what} in ${folder} but found ${found}: unpack the whole set there.`);
}

/** The subject of a photograph: the face nearest to the centre. */
function middleFace(faces: readonly DetectedFace[], { width, height }: Pixels): DetectedFace | undefined {
  const off = ({ box }: DetectedFace): number =>
    Math.hypot(box.x + box.width / 2 - width / 2, box.y + box.height / 2 - height / 2);
  return faces.toSorted((a, b) => off(a) - off(b))[0];
}

/** Aligns images to JPEG files of quality 92 in `place/aligned`. @returns the images without a face */
export async function alignAll(
  files: readonly { readonly source: string; readonly target: string }[],
  { detect, onProgress }: ArrangeTools,
): Promise<string[]> {
  const without: string[] = [];
  for (const [done, { source, target }] of files.entries()) {
    onProgress?.(done, files.length);
    if (existsSync(target)) continue; // from an interrupted run
    const image = await readImage(source);
    const face = middleFace(await detect(image), image);
    if (face === undefined) {
      without.push(source);
      continue;
    }
    const crop = warp(image, alignmentMatrix(face.landmarks, face.mouth));
    mkdirSync(dirname(target), { recursive: true });
    const raw = { width: crop.width, height: crop.height, channels: 3 as const };
    writeFileSync(target, await sharp(crop.data, { raw }).jpeg({ quality: 92 }).toBuffer());
  }
  return without;
}

/** One line `imgname 0 id 0` per image, for people with at least `least` images, numbered from 0. */
function trainList(place: string, least: number, chosen: (person: string) => boolean): string {
  const people = new Map<string, string[]>();
  for (const name of imagesIn(join(place, 'aligned'))) {
    const person = basename(dirname(name));
    if (chosen(person)) people.set(person, [...(people.get(person) ?? []), name]);
  }
  const kept = [...people.values()].filter((names) => names.length >= least);
  return kept.flatMap((names, id) => names.map((name) => `aligned/${name} 0 ${id} 0\n`)).join('');
}

/** The half of the people, by name, that training may use. The included model was trained on a different half. */
const mayTrain = (person: string): boolean => createHash('sha256').update(person).digest()[0]! % 2 === 1;

/** Ten folds of 200 genuine and 200 impostor pairs, of people in no training list. */
function testPairs(place: string): string {
  const people = new Map<string, string[]>();
  for (const name of imagesIn(join(place, 'aligned'))) {
    const person = basename(dirname(name));
    if (!mayTrain(person)) people.set(person, [...(people.get(person) ?? []), `aligned/${name}`]);
  }
  const [all, several] = [[...people.values()], [...people.values()].filter(({ length }) => length > 1)];
  const random = randomStream(1);
  const one = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const genuine = (): string => {
    const images = one(several);
    const first = Math.floor(random() * images.length);
    const second = (first + 1 + Math.floor(random() * (images.length - 1))) % images.length;
    return `${images[first]} ${images[second]} 1\n`;
  };
  const impostor = (): string => {
    const [first, second] = [one(all), one(all)];
    return first === second ? impostor() : `${one(first)} ${one(second)} 0\n`;
  };
  const times = (count: number, make: () => string): string => Array.from({ length: count }, make).join('');
  return times(10, () => times(200, genuine) + times(200, impostor));
}

const pairsDigest = 'ea42330c62c92989f9d7c03237ed5d591365e89b3e649747777b70e692dc1592';

export const researchSets: Readonly<Record<string, ResearchSet>> = {
  lfw: {
    title: 'Labeled Faces in the Wild, deep-funneled: 13,233 images of 5,749 people',
    from: 'vis-www.cs.umass.edu/lfw: lfw-deepfunneled.tgz (MD5 68331da3eb755a505a502b5aacb3c201) and pairs.txt',
    terms: 'Research on face verification only. The people did not consent: publish no images of theirs.',
    files: 'lfw-deepfunneled/NAME/NAME_0001.jpg and pairs.txt',
    place: 'faces/lfw',
    async arrange(downloaded, place, tools) {
      const images = existsSync(join(downloaded, 'lfw-deepfunneled'))
        ? join(downloaded, 'lfw-deepfunneled')
        : downloaded;
      const names = imagesIn(images);
      expectCount(images, 'images', 13_233, names.length);
      const pairs = readFileSync(join(downloaded, 'pairs.txt'));
      if (createHash('sha256').update(pairs).digest('hex') !== pairsDigest)
        throw new Error(`Expected LFW's own pairs.txt in ${downloaded} but its SHA-256 is another: download it again.`);
      const files = names.map((name) => ({ source: join(images, name), target: join(place, 'aligned', name) }));
      const without = await alignAll(files, tools);
      copyFileSync(join(downloaded, 'pairs.txt'), join(place, 'pairs.txt'));
      writeFileSync(join(place, 'train.list'), trainList(place, 5, mayTrain));
      writeFileSync(join(place, 'test_pairs.list'), testPairs(place));
      return `${names.length - without.length} of ${names.length} images aligned, lists written`;
    },
  },
  celeba: {
    title: 'CelebA: 202,599 images of 10,177 people, of which the recipe takes people 7201 to 7500',
    from: 'mmlab.ie.cuhk.edu.hk/projects/CelebA.html: img_celeba (in the wild) and identity_CelebA.txt',
    terms: 'Non-commercial research only; the images belong to others and must not be passed on.',
    files: 'img_celeba/000001.jpg and identity_CelebA.txt',
    place: 'faces/celeba',
    async arrange(downloaded, place, tools) {
      const lines = readFileSync(join(downloaded, 'identity_CelebA.txt'), 'utf8').trim().split(/\r?\n/);
      expectCount(downloaded, 'lines of identity_CelebA.txt', 202_599, lines.length);
      const files = lines.flatMap((line) => {
        const [name = '', person = ''] = line.trim().split(/\s+/);
        if (Number(person) < 7201 || Number(person) > 7500) return [];
        return [{ source: join(downloaded, 'img_celeba', name), target: join(place, 'aligned', person, name) }];
      });
      const without = await alignAll(files, tools);
      writeFileSync(
        join(place, 'train.list'),
        trainList(place, 5, () => true),
      );
      return `${files.length - without.length} of ${files.length} images aligned, train.list written`;
    },
  },
  cfp: {
    title: 'CFP: 7,000 images of 500 people, frontal and profile',
    from: 'cfpw.io: cfp-dataset.zip',
    terms: 'Research only.',
    files: 'Data/Images and Protocol, as unpacked',
    place: 'faces/cfp',
    async arrange(downloaded) {
      expectCount(downloaded, 'images', 7000, imagesIn(join(downloaded, 'Data/Images')).length);
      if (!existsSync(join(downloaded, 'Protocol/Split')))
        throw new Error(`Expected the folder Protocol/Split in ${downloaded}: unpack the whole set there.`);
      return `complete; evaluate it where it is: magface evaluate set ${relative(process.cwd(), downloaded)}`;
    },
  },
};
