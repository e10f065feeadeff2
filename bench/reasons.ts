/**
 * Measures whether reasons explain low quality, and how far estimates are off, on people that no rule was fitted to:
 *
 *     npx tsx -C magface:source bench/reasons.ts [--before FOLDER]
 *
 * CFP's people 51 to 100, frontal and in profile, their frontal photos damaged as photos (so that detection and alignment see the
 * damage), and every fifth of LFW's test faces, with the landmarks of its own images. FOLDER is a checkout of an earlier commit, which sees the same pictures. Needs
 * ../shared/faces/cfp-dev and lfw. Writes bench/results/reasons.json. Takes ten minutes on one core.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { alignmentMatrix } from '../packages/magface/src/align.ts';
import { readPairList } from '../packages/magface/src/eval/pair-list.ts';
import type { AnalyzedFace, Landmarks, Reason } from '../packages/magface/src/face.ts';
import type { MagFace as MagFaceClass } from '../packages/magface/src/infer/node/magface.ts';
import { readImage } from '../packages/magface/src/infer/node/read-image.ts';
import type { Pixels } from '../packages/magface/src/pixels.ts';
import type { findReasons } from '../packages/magface/src/reasons.ts';
import { researchFolder } from './support/data.ts';
import { median } from './support/median.ts';
import { barOverEyes, blurred, damageNames, damagePhoto, tightlyCropped } from './support/photo-damage.ts';
import { photosOf, type ReferencePhoto } from './support/reference-faces.ts';
import { writeResult } from './support/result.ts';

const { values } = parseArgs({ options: { before: { type: 'string' } } });
const data = join(researchFolder('faces/cfp-dev', 'faces/lfw'), 'faces');
const people = Array.from({ length: 50 }, (_, i) => i + 51);
const [poor, fine] = [20, 60] as const;
const oneDecimal = (value: number): number => Math.round(10 * value) / 10;

interface Checkout {
  readonly magface: MagFaceClass;
  readonly findReasons: typeof findReasons;
}

/** `MagFace` and the rules of this checkout or of another one. */
async function open(folder: string): Promise<Checkout> {
  const load = (file: string) => import(pathToFileURL(resolve(folder, 'packages/magface/src', file)).href);
  const { MagFace } = (await load('infer/node/magface.ts')) as { MagFace: typeof MagFaceClass };
  const rules = (await load('reasons.ts')) as Pick<Checkout, 'findReasons'>;
  return { magface: await MagFace.load({ threads: 1, workers: 1 }), findReasons: rules.findReasons };
}

/** The largest face of each picture, undefined if none was found. */
async function look(
  magface: MagFaceClass,
  inputs: Iterable<string | Pixels> | AsyncIterable<string | Pixels>,
  aligned = false,
) {
  const found: (AnalyzedFace | undefined)[] = [];
  for await (const { faces, error } of magface.stream(inputs, { aligned })) {
    if (error !== undefined) throw error;
    const face = faces[0];
    // Crops of hundreds of faces would fill the memory; those of aligned faces are looked at again.
    found.push(face && (aligned ? face : { ...face, crop: { ...face.crop, data: new Uint8Array(0) } }));
  }
  return found;
}

/** How many low faces have reasons, and how many high ones. */
function explained(faces: readonly (AnalyzedFace | undefined)[]) {
  const seen = faces.filter((face) => face !== undefined);
  const low = seen.filter(({ quality }) => quality! < poor);
  const high = seen.filter(({ quality }) => quality! >= fine);
  const visible = ({ reasons }: AnalyzedFace): boolean => reasons.some(({ code }) => code !== 'not_distinctive');
  const codes: Record<string, number> = {};
  for (const { reasons } of low) for (const { code } of reasons) codes[code] = (codes[code] ?? 0) + 1;
  const share = (some: readonly AnalyzedFace[]) =>
    some.length === 0 ? null : some.filter(visible).length / some.length;
  return {
    faces: seen.length,
    missed: faces.length - seen.length,
    below20: low.length,
    below20WithVisibleReason: share(low),
    below20WithAnyReason: low.length === 0 ? null : low.filter(({ reasons }) => reasons.length > 0).length / low.length,
    above60: high.length,
    above60WithReason: share(high),
    codesBelow20: codes,
  };
}

/** One kind of damage at a fixed strength: what it scores, and what is said. */
function told(
  clean: readonly (AnalyzedFace | undefined)[],
  damaged: readonly (AnalyzedFace | undefined)[],
  code: string,
) {
  const pairs = damaged.flatMap((face, i) => (face && clean[i] ? [{ face, was: clean[i] }] : []));
  const losing = pairs.filter(({ face, was }) => was.quality! - face.quality! >= 10);
  const names = ({ reasons }: AnalyzedFace): boolean => reasons.some((reason) => reason.code === code);
  return {
    faces: pairs.length,
    quality: oneDecimal(median(pairs.map(({ face }) => face.quality!))),
    lost: oneDecimal(median(pairs.map(({ face, was }) => was.quality! - face.quality!))),
    named: pairs.filter(({ face }) => names(face)).length / pairs.length,
    losingTenPoints: losing.length,
    ofThoseWithAReason:
      losing.length === 0 ? null : losing.filter(({ face }) => face.reasons.length > 0).length / losing.length,
  };
}

const photos = photosOf(join(data, 'cfp-dev'), people);
const [frontal, profile] = ['frontal', 'profile'].map((kind) => photos.filter((photo) => photo.kind === kind)) as [
  ReferencePhoto[],
  ReferencePhoto[],
];
const lfwNames = await readPairList(join(data, 'lfw/test_pairs.list')).then(({ left, right }) =>
  [...new Set([...left, ...right])].sort().filter((_, i) => i % 5 === 0),
);

/** Landmarks in LFW's own images of 250 x 250 pixels, by the path of the aligned face. */
const lfwLandmarks = new Map(
  readFileSync(join(data, 'lfw/landmarks_yunet.tsv'), 'utf8')
    .trim()
    .split('\n')
    .map((row): [string, Landmarks] => {
      const [name, ...numbers] = row.split('\t');
      const points = [0, 1, 2, 3, 4].map((i) => [Number(numbers[2 * i]), Number(numbers[2 * i + 1])]);
      return [`aligned/${name}`, points as unknown as Landmarks];
    }),
);

/** The rules see the crop in LFW's image, as they do in a photo. */
function lfwReasons(find: typeof findReasons, name: string, face: AnalyzedFace): readonly Reason[] {
  const landmarks = lfwLandmarks.get(name)!;
  const box = { x: 70, y: 70, width: 110, height: 110 };
  const place = { box, landmarks, alignment: alignmentMatrix(landmarks), image: { width: 250, height: 250 } };
  return find({ ...place, crop: face.crop }, face.quality);
}

async function* each(some: readonly ReferencePhoto[], change: (photo: Pixels, at: number) => Pixels) {
  for (const [i, { path }] of some.entries()) yield change(await readImage(path), i);
}

async function figures({ magface, findReasons }: Checkout) {
  const paths = (some: readonly ReferencePhoto[]) => some.map(({ path }) => path);
  const clean = await look(magface, paths(frontal));
  const turned = await look(magface, paths(profile));
  const damaged = await look(
    magface,
    each(frontal, (photo, i) => damagePhoto(photo, clean[i], i)),
  );
  const some = frontal.filter((_, i) => i % 5 === 0);
  const someClean = clean.filter((_, i) => i % 5 === 0);
  const bar = await look(
    magface,
    each(some, (photo, i) => barOverEyes(photo, someClean[i])),
  );
  const soft = await look(
    magface,
    each(some, (photo, i) => blurred(photo, someClean[i])),
  );
  const tight = await look(
    magface,
    each(some, (photo, i) => tightlyCropped(photo, someClean[i])),
  );
  const lfw = (
    await look(
      magface,
      lfwNames.map((name) => join(data, 'lfw', name)),
      true,
    )
  ).map((face, i) => face && { ...face, reasons: lfwReasons(findReasons, lfwNames[i]!, face) });
  const kinds = Object.fromEntries(
    damageNames.map((name, k) => [name, explained(damaged.filter((_, i) => i % damageNames.length === k))]),
  );
  const summary = {
    frontal: explained(clean),
    profile: explained(turned),
    damaged: explained(damaged),
    damagedByKind: kinds,
    lfw: explained(lfw),
    all: explained([...clean, ...turned, ...damaged, ...lfw]),
    barOverEyes: told(someClean, bar, 'eyes_covered'),
    blurOfSigma4On264: told(someClean, soft, 'blurred'),
    tightCrop: told(someClean, tight, 'cut_off'),
  };
  return { summary, clean, turned, damaged };
}

/** How far estimates are from what the same photo, or the same person's frontal photos, score. */
function estimateErrors({ clean, turned, damaged }: Awaited<ReturnType<typeof figures>>) {
  const errors = (rows: readonly { estimated: number; actual: number; was: number }[]) => ({
    faces: rows.length,
    meanError: oneDecimal(mean(rows.map(({ estimated, actual }) => Math.abs(estimated - actual)))),
    bias: oneDecimal(mean(rows.map(({ estimated, actual }) => estimated - actual))),
    ofTheMean: oneDecimal(meanDeviation(rows.map(({ actual }) => actual))),
  });
  const byTurning = turned.flatMap((face, i) => {
    const estimate = face?.estimates.find(({ code }) => code === 'turned_away');
    if (face === undefined || estimate === undefined) return [];
    const others = clean.flatMap((other, k) =>
      frontal[k]!.person === profile[i]!.person && other ? [other.quality!] : [],
    );
    return [{ estimated: estimate.quality, actual: mean(others), was: face.quality! }];
  });
  const byMending = damaged.flatMap((face, i) => {
    const [estimate] = face?.estimates ?? [];
    const was = clean[i];
    if (face === undefined || was === undefined || estimate === undefined || was.estimates.length > 0) return [];
    return [{ estimated: estimate.quality, actual: was.quality!, was: face.quality! }];
  });
  return { turned: errors(byTurning), damaged: errors(byMending) };
}

const mean = (numbers: readonly number[]): number => numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
const meanDeviation = (numbers: readonly number[]): number =>
  mean(numbers.map((value) => Math.abs(value - mean(numbers))));

/** Processor time of the rules for one face. */
async function cost({ magface, findReasons }: Checkout): Promise<number> {
  const path = frontal[0]!.path;
  const image = await readImage(path);
  const [face] = await magface.analyze(path);
  const times = Array.from({ length: 60 }, () => {
    const begin = process.cpuUsage();
    findReasons({ ...face!, image }, 10);
    const { user, system } = process.cpuUsage(begin);
    return (user + system) / 1000;
  });
  return Number(median(times.slice(10)).toFixed(2));
}

const before = values.before === undefined ? undefined : await figures(await open(values.before));
const here = await open(new URL('..', import.meta.url).pathname);
const after = await figures(here);
writeResult('reasons', {
  wanted: { below20WithVisibleReason: 0.9, above60WithReason: 0, millisecondsPerFace: 5 },
  millisecondsPerFace: await cost(here),
  ...(before && { before: before.summary }),
  after: after.summary,
  estimates: estimateErrors(after),
});
await here.magface[Symbol.asyncDispose]();
