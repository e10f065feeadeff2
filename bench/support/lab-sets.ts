/** The sets of bench/lab.ts: lists of pairs over research faces, and copies of faces that are damaged. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import sharp from 'sharp';
import { template } from '../../packages/magface/src/align.ts';
import { allDamages } from '../../packages/magface/src/degrade/node/jpeg.ts';
import { type ComponentName, components } from '../../packages/magface/src/eval/methods/components.ts';
import { openMethods } from '../../packages/magface/src/eval/methods/open-methods.ts';
import type { AnalyzedFace } from '../../packages/magface/src/face.ts';
import { MagFace } from '../../packages/magface/src/infer/node/magface.ts';
import { readAligned } from '../../packages/magface/src/infer/node/read-image.ts';
import { randomStream } from '../../packages/magface/src/random.ts';

/** Largest strength of damage, 0 to 1, as in bench/default-model.ts. */
export const worst = 0.6;
const kinds = Object.keys(allDamages) as (keyof typeof allDamages)[];
/** Impostor pairs of LFW's images: with 3,000, FMR 1e-3 means three errors. */
const impostors = 3000;
const header = 'left,right,same';

/** What needs the photo, and not the crop alone; written once, since it is the same for every recogniser. */
const ofPhotos = ['detector', 'size', 'yaw', 'roll', 'eye-distance'];

/**
 * CFP's people 1 to 50, which is fold 1 of its frontal-profile protocol: faces found and aligned once for all recognisers, and a
 * table of the values that need the whole photo.
 *
 * @returns paths of the list of pairs and of the table
 */
export async function writeCfp(faces: string, folder: string): Promise<{ pairs: string; scores: string }> {
  const lines = readFileSync(join(faces, 'cfp-dev/fp_pairs.list'), 'utf8').trim().split('\n').slice(0, 700);
  const cells = lines.map((line) => line.trim().split(/\s+/));
  const names = [...new Set(cells.flatMap(([left = '', right = '']) => [left, right]))];
  const pairs = write(join(folder, 'pairs.csv'), [
    header,
    ...cells.map(([left = '', right = '', same]) => `${croppedAs(left)},${croppedAs(right)},${same}`),
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
const ofCrops: readonly ComponentName[] = [
  ...(['illumination-uniformity', 'luminance-mean', 'luminance-variance', 'under-exposure'] as const),
  ...(['over-exposure', 'dynamic-range', 'natural-colour'] as const),
];

const ofLandmarks = ['eyes-open', 'mouth-closed'] as const;

/** Writes the components of all images of a list, which no recogniser changes. @returns the path of the table */
export async function writeComponents(images: string, pairs: string): Promise<string> {
  const file = pairs.replace(/\.csv$/, '-components.csv');
  if (existsSync(file)) return file;
  const cells = readFileSync(pairs, 'utf8').trim().split('\n').slice(1);
  const names = [...new Set(cells.flatMap((line) => line.split(',').slice(0, 2)))];
  const alignment = [
    [1, 0, 0],
    [0, 1, 0],
  ] as const;
  await using magface = await MagFace.load({ detector: false, threads: 1, workers: 1 });
  await using methods = await openMethods(ofLandmarks, magface);
  const rows: string[] = [];
  for (const name of names) {
    const crop = await readAligned(join(images, name));
    const scores = ofCrops.map((component) => components[component]({ crop, landmarks: template, alignment }).score);
    const [found] = await methods.measure([{ crop } as AnalyzedFace]); // they read nothing else
    rows.push([name, ...scores, ...ofLandmarks.map((method) => found![method])].join(','));
  }
  return write(file, [`name,${[...ofCrops, ...ofLandmarks].join(',')}`, ...rows]);
}

const croppedAs = (name: string): string => name.replace(/\.jpg$/, '.png');

/** Folds 1 and 2 of the list have 400 genuine pairs. */
const genuineLines = 800;

const genuineOf = (faces: string): (readonly [string, string])[] =>
  readFileSync(join(faces, 'lfw/test_pairs.list'), 'utf8')
    .trim()
    .split('\n')
    .slice(0, genuineLines)
    .flatMap((line) => {
      const [left = '', right = '', same] = line.trim().split(/\s+/);
      return same === '1' ? [[left, right] as const] : [];
    });

/** LFW's test people: the genuine pairs of folds 1 and 2, and impostor pairs of the same images. */
export function writeLfwList(faces: string, folder: string): string {
  const genuine = genuineOf(faces);
  const lines = inFolds(
    genuine.map(([left, right]) => `${left},${right},1`),
    impostorsOf(genuine).map(([left, right]) => `${left},${right},0`),
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
    impostorsOf(genuine).map((pair) => line(pair, 0)),
  );
  return write(join(folder, 'pairs.csv'), [`${header},damage`, ...lines]);
}

const person = (name: string): string => name.split('/')[1]!;
const cleanAs = (name: string): string => `${person(name)}/clean/${basename(name)}`;
const damagedAs = (name: string): string => `${person(name)}/damaged/${basename(name, '.jpg')}.png`;

/** Pairs of two people: the first image of one genuine pair and the second of another, drawn with a fixed seed. */
function impostorsOf(genuine: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  const random = randomStream(1);
  const one = (): readonly [string, string] => genuine[Math.floor(random() * genuine.length)]!;
  const found = new Map<string, readonly [string, string]>();
  while (found.size < impostors) {
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
