/**
 * Measures the tables of `what-if.ts`: frontal faces of the reference people with painted defects, each beside the same face
 * without it, and turned faces beside the frontal ones of the same person.
 */

import { coverBrow, coverEyes, coverMouth, type Random } from '../../bench/support/paint-covers.ts';
import type { PhotoFace } from '../../bench/support/reference-faces.ts';
import { embedded } from '../../bench/support/reference-faces.ts';
import { template } from '../../packages/magface/src/align.ts';
import { blur } from '../../packages/magface/src/degrade/blur.ts';
import { downscale } from '../../packages/magface/src/degrade/downscale.ts';
import { addNoise, darken } from '../../packages/magface/src/degrade/light.ts';
import type { AffineMatrix, VisibleReasonCode } from '../../packages/magface/src/face.ts';
import type { MagFace } from '../../packages/magface/src/infer/node/magface.ts';
import type { Pixels } from '../../packages/magface/src/pixels.ts';
import type { Remedies, RemedyRow } from '../../packages/magface/src/quality.ts';
import { randomStream } from '../../packages/magface/src/random.ts';
import { measureReason, reasonRules } from '../../packages/magface/src/reasons.ts';

/** A face with a defect and its magnitudes. */
interface Sample {
  readonly value: number;
  readonly with: number;
  readonly without: number;
}

const size = 112;
const eyes = template[1][0] - template[0][0];
/** A crop by itself: nothing lies outside. */
const unchanged: AffineMatrix = [
  [1, 0, 0],
  [0, 1, 0],
];

interface Painted {
  readonly crop: Pixels;
  /** If the defect is not visible in the crop alone. */
  readonly value?: number;
}
type Paint = (crop: Pixels, random: Random, pool: readonly Pixels[]) => Painted;

const levels = (crop: Pixels, map: (value: number) => number): Pixels => ({
  ...crop,
  data: Uint8ClampedArray.from(crop.data, map),
});

const defects: Readonly<Partial<Record<VisibleReasonCode, Paint>>> = {
  face_too_small: (crop, random) => {
    const side = Math.round(size * 2 ** (-0.4 - 3 * random()));
    return { crop: downscale(crop, side), value: (eyes * side) / size };
  },
  blurred: (crop, random) => ({ crop: blur(crop, 0.7 + 4 * random()) }),
  noisy: (crop, random) => ({ crop: addNoise(crop, 4 + 50 * random(), Math.floor(1e6 * random())) }),
  too_dark: (crop, random) => ({ crop: darken(crop, 4 * random()) }),
  too_bright: (crop, random) => {
    const gain = 1.2 + 2 * random();
    return { crop: levels(crop, (value) => value * gain) };
  },
  low_contrast: (crop, random) => {
    const share = 0.08 + 0.5 * random();
    return { crop: levels(crop, (value) => 128 + share * (value - 128)) };
  },
  cut_off: (crop, random) => cutOff(crop, random),
  eyes_covered: (crop, random, pool) => ({ crop: coverEyes(crop, random, pool) }),
  mouth_covered: (crop, random, pool) => ({ crop: coverMouth(crop, random, pool) }),
  brow_covered: (crop, random, pool) => ({ crop: coverBrow(crop, random, pool) }),
};

/** Black from one side, as the end of a photo is. */
function cutOff(crop: Pixels, random: Random): Painted {
  const side = Math.floor(3 * random()); // top, left, bottom
  const depth = [30 + 25 * random(), 20 + 25 * random(), 5 + 25 * random()][side]!;
  const isOut = (x: number, y: number): boolean => [y < depth, x < depth, y >= size - depth][side]!;
  const data = Uint8Array.from(crop.data, (value, at) => {
    const pixel = Math.floor(at / 3);
    return isOut(pixel % size, Math.floor(pixel / size)) ? 0 : value;
  });
  const image = [
    {
      alignment: [
        [1, 0, 0],
        [0, 1, depth],
      ] as const,
      image: { width: size, height: size },
    },
    {
      alignment: [
        [1, 0, depth],
        [0, 1, 0],
      ] as const,
      image: { width: size, height: size },
    },
    { alignment: unchanged, image: { width: size, height: size - depth } },
  ][side]!;
  const place = { crop, box: { x: 0, y: 0, width: size, height: size }, landmarks: template };
  return { crop: { ...crop, data }, value: measureReason('cut_off', { ...place, ...image }) };
}

/** One in so many frontal faces is painted. */
const every = 2;
/** Rows of a table, and fewest faces of one. */
const [mostRows, fewest] = [4, 25] as const;

/** Splits the samples beyond the limit into rows of equally many, from slight to bad. */
function tableOf(code: VisibleReasonCode, samples: readonly Sample[]): RemedyRow[] {
  const { limit, worst } = reasonRules[code];
  const sign = Math.sign(worst - limit);
  const bad = samples.filter(({ value }) => sign * (value - limit) > 0).sort((a, b) => sign * (a.value - b.value));
  const rows = Math.min(mostRows, Math.floor(bad.length / fewest));
  return Array.from({ length: rows }, (_, row): RemedyRow => {
    const part = bad.slice(Math.floor((row * bad.length) / rows), Math.floor(((row + 1) * bad.length) / rows));
    const [x, y] = [mean(part.map((one) => one.with)), mean(part.map(({ without }) => without))];
    const spread = mean(part.map((one) => (one.with - x) ** 2));
    const shared = mean(part.map((one) => (one.with - x) * (one.without - y)));
    const kept = Math.max(0, Math.min(1, shared / spread));
    return { from: digits(part[0]!.value), with: digits(x), without: digits(y), kept: digits(kept) };
  });
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const digits = (value: number): number => Number(value.toFixed(3));

/** @param photos - the reference people's, frontal and in profile */
export async function measureRemedies(magface: MagFace, photos: readonly PhotoFace[]): Promise<Remedies> {
  const frontal = photos.filter(({ kind }) => kind === 'frontal').filter((_, i) => i % every === 0);
  const pool = frontal.map(({ face }) => face.crop);
  const random = randomStream(1);
  const tables: Partial<Record<VisibleReasonCode, RemedyRow[]>> = {};
  for (const [code, paint] of Object.entries(defects) as [VisibleReasonCode, Paint][]) {
    const painted = frontal.map(({ face }) => paint(face.crop, random, pool));
    const found = await embedded(
      magface,
      painted.map(({ crop }) => crop),
    );
    const samples = painted.map(({ crop, value }, i): Sample => {
      const { face, image } = frontal[i]!;
      const measured = value ?? measureReason(code, { ...face, crop, image });
      return { value: measured, with: found[i]!.magnitude, without: frontal[i]!.magnitude };
    });
    tables[code] = tableOf(code, samples);
  }
  tables.turned_away = tableOf('turned_away', turned(photos));
  return Object.fromEntries(Object.entries(tables).filter(([, rows]) => rows.length > 0));
}

/** Each face of a photo, turned, beside the mean of its person's frontal photos. */
function turned(photos: readonly PhotoFace[]): Sample[] {
  return photos
    .filter(({ kind }) => kind === 'profile')
    .map(({ person, magnitude, face, image }) => {
      const others = photos.filter((other) => other.person === person && other.kind === 'frontal');
      const value = measureReason('turned_away', { ...face, image });
      return { value, with: magnitude, without: mean(others.map((other) => other.magnitude)) };
    });
}
