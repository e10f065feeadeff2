/** The sets of bench/lab.ts: lists of pairs over research faces, and copies of faces that are damaged. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import sharp from 'sharp';
import { allDamages } from '../../packages/magface/src/degrade/node/jpeg.ts';
import type { MethodName } from '../../packages/magface/src/eval/methods/method-names.ts';
import { openMethods } from '../../packages/magface/src/eval/methods/open-methods.ts';
import { MagFace } from '../../packages/magface/src/infer/node/magface.ts';
import { readAligned } from '../../packages/magface/src/infer/node/read-image.ts';
import { randomStream } from '../../packages/magface/src/random.ts';
import { cfpNames, testPeople } from './cfp-crops.ts';

/** Largest strength of damage, 0 to 1, as in bench/default-model.ts. */
export const worst = 0.6;
const kinds = Object.keys(allDamages) as (keyof typeof allDamages)[];
/** Impostor pairs: with 20,000, FMR 1e-3 means twenty errors. */
const cfpImpostors = 20_000;
const lfwImpostors = 20_000;
const header = 'left,right,same';

/** What needs the photo, and not the crop alone; written once, since it is the same for every recogniser. */
const ofPhotos: readonly MethodName[] = [
  ...(['detector', 'size', 'yaw', 'pitch', 'roll', 'eye-distance', 'head-size'] as const),
  ...(['leftward-crop', 'rightward-crop', 'upward-crop', 'downward-crop'] as const),
];

/**
 * Every frontal face with every profile of CFP's test people, and as many impostor pairs as {@link cfpImpostors}: faces found and
 * aligned once for all recognisers, and a table of the values that need the whole photo.
 *
 * @returns paths of the list of pairs and of the table
 */
export async function writeCfp(faces: string, folder: string): Promise<{ pairs: string; scores: string }> {
  const names = cfpNames.filter((name) => testPeople.includes(cfpPerson(name))).map((name) => `${name}.jpg`);
  const [frontal, profile] = ['/frontal/', '/profile/'].map((kind) => names.filter((name) => name.includes(kind)));
  const all = frontal!.flatMap((left) => profile!.map((right) => [left, right] as const));
  const genuine = all.filter(([left, right]) => cfpPerson(left) === cfpPerson(right));
  const line = ([left, right]: readonly [string, string], same: number): string =>
    `${croppedAs(left)},${croppedAs(right)},${same}`;
  const pairs = write(join(folder, 'pairs.csv'), [
    header,
    ...inFolds(
      genuine.map((pair) => line(pair, 1)),
      impostorsOf(genuine, cfpImpostors, cfpPerson).map((pair) => line(pair, 0)),
    ),
  ]);
  const scores = join(folder, 'photos.csv');
  if (existsSync(scores)) return { pairs, scores };
  await using magface = await MagFace.load({ threads: 1 });
  await using methods = await openMethods(ofPhotos, magface);
  const rows: string[] = [];
  for await (const { index, faces: found, error } of magface.stream(
    names.map((name) => join(faces, 'cfp-dev', name)),
  )) {
    const face = found?.[0];
    if (face === undefined) throw error ?? new Error(`Expected a face in ${names[index]}.`);
    const name = croppedAs(names[index]!);
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    await sharp(face.crop.data, { raw: { width: face.crop.width, height: face.crop.height, channels: 3 } })
      .png()
      .toFile(join(folder, name));
    const [values] = await methods.measure([face]);
    rows.push([name, ...ofPhotos.map((method) => values![method])].join(','));
  }
  return { pairs, scores: write(scores, [`name,${ofPhotos.join(',')}`, ...rows]) };
}

/** Components of ISO/IEC 29794-5 that the crop alone gives; those of pose and size need the photo. */
const ofCrops: readonly MethodName[] = [
  ...(['illumination-uniformity', 'luminance-mean', 'luminance-variance', 'under-exposure'] as const),
  ...(['over-exposure', 'dynamic-range', 'natural-colour', 'eyes-open', 'mouth-closed'] as const),
  ...(['sharpness', 'eyes-visible', 'mouth-visible'] as const),
];

/** Writes the components of all images of a list, which no recogniser changes. @returns the path of the table */
export async function writeComponents(images: string, pairs: string): Promise<string> {
  const file = pairs.replace(/\.csv$/, '-components.csv');
  if (existsSync(file)) return file;
  const cells = readFileSync(pairs, 'utf8').trim().split('\n').slice(1);
  const names = [...new Set(cells.flatMap((line) => line.split(',').slice(0, 2)))];
  await using magface = await MagFace.load({ detector: false, threads: 1, workers: 1 });
  await using methods = await openMethods(ofCrops, magface);
  const rows: string[] = [];
  for (const name of names) {
    const faces = await magface.analyze(await readAligned(join(images, name)), { aligned: true });
    const [found] = await methods.measure(faces);
    rows.push([name, ...ofCrops.map((method) => found![method])].join(','));
  }
  return write(file, [`name,${ofCrops.join(',')}`, ...rows]);
}

const croppedAs = (name: string): string => name.replace(/\.jpg$/, '.png');

/** Folds 1 to 4 of the list have 800 genuine pairs. */
const genuineLines = 1600;

const genuineOf = (faces: string): (readonly [string, string])[] =>
  readFileSync(join(faces, 'lfw/test_pairs.list'), 'utf8')
    .trim()
    .split('\n')
    .slice(0, genuineLines)
    .flatMap((line) => {
      const [left = '', right = '', same] = line.trim().split(/\s+/);
      return same === '1' ? [[left, right] as const] : [];
    });

/** LFW's test people: the genuine pairs of folds 1 to 4, and impostor pairs of the same images. */
export function writeLfwList(faces: string, folder: string): string {
  const genuine = genuineOf(faces);
  const lines = inFolds(
    genuine.map(([left, right]) => `${left},${right},1`),
    impostorsOf(genuine, lfwImpostors, lfwPerson).map(([left, right]) => `${left},${right},0`),
  );
  return write(join(folder, 'lfw.csv'), [header, ...lines]);
}

/**
 * The same pairs with the second face of each damaged: by one of seven kinds, at a strength even from 0 to {@link worst}. Both faces
 * lie below the person's folder, so that people can be told apart.
 */
export async function writeDamagedLfw(faces: string, folder: string): Promise<string> {
  const genuine = genuineOf(faces);
  const kindOf = new Map<string, string>();
  for (const left of new Set(genuine.map(([name]) => name))) {
    mkdirSync(dirname(join(folder, cleanAs(left))), { recursive: true });
    copyFileSync(join(faces, 'lfw', left), join(folder, cleanAs(left)));
  }
  for (const [i, right] of [...new Set(genuine.map(([, name]) => name))].entries()) {
    const kind = kinds[i % kinds.length]!;
    kindOf.set(right, kind);
    const file = join(folder, damagedAs(right));
    if (existsSync(file)) continue;
    const face = await readAligned(join(faces, 'lfw', right));
    const strength = worst * ((i * 0.6180339887498949) % 1);
    const { data, width, height } = allDamages[kind].apply(face, strength, i);
    mkdirSync(dirname(file), { recursive: true });
    await sharp(data, { raw: { width, height, channels: 3 } })
      .png()
      .toFile(file);
  }
  const line = ([left, right]: readonly [string, string], same: number): string =>
    `${cleanAs(left)},${damagedAs(right)},${same},${kindOf.get(right)}`;
  const lines = inFolds(
    genuine.map((pair) => line(pair, 1)),
    impostorsOf(genuine, lfwImpostors, lfwPerson).map((pair) => line(pair, 0)),
  );
  return write(join(folder, 'pairs.csv'), [`${header},damage`, ...lines]);
}

const cfpPerson = (name: string): string => name.split('/')[0]!;
const lfwPerson = (name: string): string => name.split('/')[1]!;
const cleanAs = (name: string): string => `${lfwPerson(name)}/clean/${basename(name)}`;
const damagedAs = (name: string): string => `${lfwPerson(name)}/damaged/${basename(name, '.jpg')}.png`;

/** Pairs of two people: the first image of one genuine pair and the second of another, drawn with a fixed seed. */
function impostorsOf(
  genuine: readonly (readonly [string, string])[],
  count: number,
  person: (name: string) => string,
): (readonly [string, string])[] {
  const random = randomStream(1);
  const one = (): readonly [string, string] => genuine[Math.floor(random() * genuine.length)]!;
  const found = new Map<string, readonly [string, string]>();
  while (found.size < count) {
    const [[left], [, right]] = [one(), one()];
    if (person(left) !== person(right)) found.set(`${left} ${right}`, [left, right]);
  }
  return [...found.values()];
}

/** Ten folds with equal shares of both kinds. */
function inFolds(genuine: readonly string[], others: readonly string[]): string[] {
  const part = (of: readonly string[], fold: number): readonly string[] =>
    of.slice(Math.floor((of.length * fold) / 10), Math.floor((of.length * (fold + 1)) / 10));
  return Array.from({ length: 10 }, (_, fold) => [...part(genuine, fold), ...part(others, fold)]).flat();
}

function write(file: string, lines: readonly string[]): string {
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}
