/**
 * Measures the detector and the aligner: `npx tsx -C magface:source bench/alignment.ts [--blazeface]`
 *
 * - on unaligned images of CFP's first 100 people: missed faces, and false non-matches of the frontal-profile and
 *   frontal-frontal pairs with the default model (the aligner was trained on people 1 to 50, so 51 to 100 are separate);
 * - on the sample photos, rotated, scaled and shifted by known amounts: the changes of crop, feature and quality.
 *
 * Needs ../shared/faces/cfp-dev. Writes bench/results/alignment-yunet.json, or alignment-blazeface.json for the other
 * detector. Takes five minutes on two cores, or half an hour with BlazeFace.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { inverseOf, mapped, template } from '../packages/magface/src/align.ts';
import type { AffineMatrix, AnalyzedFace, Point } from '../packages/magface/src/face.ts';
import { type LoadOptions, MagFace } from '../packages/magface/src/infer/node/magface.ts';
import { compare } from '../packages/magface/src/similarity.ts';
import { samplePhoto } from '../packages/magface/test/support/sample-photos.ts';
import { researchFolder } from './support/data.ts';
import { rocPoint } from './support/false-non-matches.ts';
import { knownMaps } from './support/known-maps.ts';
import { writeResult } from './support/result.ts';

const { values } = parseArgs({ options: { blazeface: { type: 'boolean', default: false } } });
const detector = values.blazeface ? 'blazeface' : 'yunet';
const cfp = join(researchFolder('faces/cfp-dev'), 'faces/cfp-dev');

interface Way {
  readonly name: string;
  readonly options: LoadOptions;
}

const ways: readonly Way[] = [
  { name: 'aligner', options: { detector } },
  { name: 'landmarksAlone', options: { detector, aligner: false } },
];

const images = Array.from({ length: 100 }, (_, i) => `${i + 1}`.padStart(3, '0')).flatMap((person) =>
  (
    [
      ['frontal', 10],
      ['profile', 4],
    ] as const
  ).flatMap(([kind, count]) =>
    Array.from({ length: count }, (_, i) => `${person}/${kind}/${`${i + 1}`.padStart(2, '0')}.jpg`),
  ),
);

/** The largest face of each image. */
async function facesOfCfp(magface: MagFace): Promise<Map<string, AnalyzedFace>> {
  const faces = new Map<string, AnalyzedFace>();
  const paths = images.map((name) => join(cfp, name));
  for await (const { index, faces: found, error } of magface.stream(paths, { flip: true })) {
    if (error !== undefined) throw error;
    if (found[0] !== undefined) faces.set(images[index]!, found[0]);
  }
  return faces;
}

const personOf = (name: string): number => Number(name.slice(0, 3));

/** False non-matches of the listed pairs, at FMR 1e-2 and 1e-3 among all impostors of these kinds and people. */
function nonMatches(
  faces: ReadonlyMap<string, AnalyzedFace>,
  list: string,
  [left, right]: readonly [string, string],
  isIn: (person: number) => boolean,
): Record<string, number> {
  const names = images.filter((name) => isIn(personOf(name)));
  const [a, b] = [left, right].map((kind) => names.filter((name) => name.includes(kind))) as [string[], string[]];
  // A missed face matches nothing.
  const similarity = (one: string, other: string): number => {
    const [x, y] = [faces.get(one), faces.get(other)];
    return x === undefined || y === undefined ? -1 : compare(x.embedding, y.embedding);
  };
  const impostors: number[] = [];
  for (const one of a)
    for (const other of b) {
      if (personOf(one) === personOf(other) || (left === right && one >= other)) continue;
      impostors.push(similarity(one, other));
    }
  const lines = readFileSync(join(cfp, list), 'utf8').trim().split('\n');
  const genuine = lines
    .map((line) => line.split(' '))
    .filter(([one, other, same]) => same === '1' && names.includes(one!) && names.includes(other!))
    .map(([one, other]) => similarity(one!, other!));
  return {
    genuine: genuine.length,
    impostors: impostors.length,
    fnmrAt1e2: rocPoint(genuine, impostors, 0.01),
    fnmrAt1e3: rocPoint(genuine, impostors, 0.001),
  };
}

/** Position of the template's points in the image. */
function pointsOf(alignment: AffineMatrix): Point[] {
  const back = inverseOf(alignment);
  return template.map((point) => mapped(back, point));
}

const distance = ([x, y]: Point, [u, v]: Point): number => Math.hypot(x - u, y - v);
const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
const rounded = (value: number): number => Number(value.toFixed(4));
function spread(values: readonly number[]): { median: number; p95: number } {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: rounded(quantile(sorted, 0.5)), p95: rounded(quantile(sorted, 0.95)) };
}

/** Changes of a face's crop (relative to the eye distance), feature (1 - cosine) and quality (points). */
interface Moved {
  readonly kind: string;
  readonly crop: number;
  readonly feature: number;
  readonly quality: number;
}

async function underKnownMaps(magface: MagFace): Promise<Record<string, unknown>> {
  const moved: Moved[] = [];
  let lost = 0;
  for (const number of [1, 2, 3, 4, 5, 6] as const) {
    const size = await sharp(samplePhoto(number)).metadata();
    const faces = await magface.analyze(samplePhoto(number));
    for (const { kind, apply, move } of knownMaps) {
      const seen = await magface.analyze(await apply(samplePhoto(number)));
      for (const face of faces) {
        const points = pointsOf(face.alignment).map((point) => move(point, size.width!, size.height!));
        const eyes = distance(points[0]!, points[1]!);
        const offOf = (other: AnalyzedFace): number =>
          pointsOf(other.alignment).reduce((sum, point, i) => sum + distance(point, points[i]!), 0) / 5 / eyes;
        const nearest = seen.toSorted((a, b) => offOf(a) - offOf(b))[0];
        if (nearest === undefined || offOf(nearest) > 1) {
          lost++;
          continue;
        }
        moved.push({
          kind,
          crop: offOf(nearest),
          feature: 1 - compare(face.embedding, nearest.embedding),
          quality: Math.abs(face.quality! - nearest.quality!),
        });
      }
    }
  }
  const figures = (rows: readonly Moved[]) => ({
    faces: rows.length,
    cropInEyeDistances: spread(rows.map(({ crop }) => crop)),
    oneMinusCosine: spread(rows.map(({ feature }) => feature)),
    qualityPoints: spread(rows.map(({ quality }) => quality)),
  });
  const kinds = [...new Set(moved.map(({ kind }) => kind))];
  const byKind = Object.fromEntries(kinds.map((kind) => [kind, figures(moved.filter((row) => row.kind === kind))]));
  return { lost, ...figures(moved), byKind };
}

const results: Record<string, unknown> = {};
for (const { name, options } of ways) {
  process.stderr.write(`${name} ...\n`);
  await using magface = await MagFace.load(options);
  const faces = await facesOfCfp(magface);
  const [all, held] = [() => true, (person: number) => person > 50];
  results[name] = {
    images: images.length,
    missed: images.length - faces.size,
    frontalProfile: nonMatches(faces, 'fp_pairs.list', ['frontal', 'profile'], all),
    frontalFrontal: nonMatches(faces, 'ff_pairs.list', ['frontal', 'frontal'], all),
    people51to100: {
      frontalProfile: nonMatches(faces, 'fp_pairs.list', ['frontal', 'profile'], held),
      frontalFrontal: nonMatches(faces, 'ff_pairs.list', ['frontal', 'frontal'], held),
    },
    samplePhotos: await underKnownMaps(magface),
  };
}
writeResult(`alignment-${detector}`, {
  detector,
  wanted: { missedShare: 0.002, fnmrAt1e2: 0.235, qualityPoints: { median: 2, p95: 8 } },
  ...results,
});
