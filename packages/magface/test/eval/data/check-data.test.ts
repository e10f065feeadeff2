/** Planted faults in sets of made-up features and pictures. */
import sharp from 'sharp';
import { beforeAll, expect, test } from 'vitest';
import { ConfigError } from '../../../src/errors.ts';
import { checkEmbedded, type DataCheck, type LabelledSet } from '../../../src/eval/data/check-data.ts';
import { type CleanedImage, cleanData } from '../../../src/eval/data/clean-data.ts';
import { sha256 } from '../../../src/format/digest.ts';
import { randomStream } from '../../../src/random.ts';

const dimension = 64;
const contract = {
  thresholds: [
    { fmr: 0.01, threshold: 0.3 },
    { fmr: 0.0001, threshold: 0.5 },
  ],
  calibration: { centre: 10, width: 2, source: 'made up' },
};

function randomFloats(count: number, seed: number): Float64Array {
  const next = randomStream(seed);
  return Float64Array.from({ length: count }, () => next());
}

interface Face {
  /** Whom it shows. */
  readonly shows: number;
  readonly label: number;
  readonly picture: Uint8Array;
  /** Length of the feature. */
  readonly length?: number;
}

/** A face's feature: its person's direction with some noise. The persons' directions are orthogonal. */
function feature({ shows, length = 10 }: Face, seed: number): Float32Array {
  const noise = randomFloats(dimension, seed).map((value) => value - 0.5);
  const values = Float32Array.from(noise, (value, d) => (d === shows ? 4 : 0) + value);
  const norm = Math.hypot(...values);
  return values.map((value) => (value * length) / norm);
}

const noise = (seed: number): Buffer =>
  Buffer.from(Uint8Array.from(randomFloats(32 * 32 * 3, seed), (value) => 255 * value));

const picture = (seed: number): Promise<Buffer> =>
  sharp(noise(seed), { raw: { width: 32, height: 32, channels: 3 } })
    .resize(112, 112)
    .png()
    .toBuffer();

function setOf(name: string, faces: readonly Face[], isTest = false): LabelledSet {
  const images = faces.map(({ picture: bytes }, i) => ({
    name: `${name}/${i}`,
    digest: sha256(bytes),
    read: async () => bytes,
  }));
  return { name, images, labels: faces.map(({ label }) => label), isTest };
}

let found: DataCheck;
let cleaned: CleanedImage[];
const named = (i: number): string => found.images[i]!.name;

beforeAll(async () => {
  const pictures = await Promise.all(Array.from({ length: 60 }, (_, i) => picture(i)));
  const people = (from: number, count: number, first: number): Face[] =>
    Array.from({ length: count * 5 }, (_, i) => {
      const label = Math.floor(i / 5);
      return { shows: from + label, label, picture: pictures[first + i]! };
    });
  const a = people(0, 4, 0); // shows 0 to 3
  const b = people(10, 3, 20); // shows 10 to 12
  const tested = people(20, 2, 40); // shows 20 and 21
  // Faces 3 and 8 of set a are swapped, 14 is nobody, 19 has no face.
  a[3] = { ...a[3]!, shows: 1 };
  a[8] = { ...a[8]!, shows: 0 };
  a[14] = { ...a[14]!, shows: 40, length: 11 };
  a[19] = { ...a[19]!, length: 0, picture: Buffer.from('no image') };
  // Set b: 1 is a mirrored and compressed copy of 0, 2 is the file of 0; person 1 is person 2 of set a.
  b[1] = { ...b[1]!, picture: await sharp(pictures[20]!).flop().jpeg({ quality: 40 }).toBuffer() };
  b[2] = { ...b[2]!, picture: pictures[20]! };
  for (const i of [5, 6, 7, 8, 9]) b[i] = { ...b[i]!, shows: 2 };
  // Person 2 of set b is person 0 of the test set; face 0 of set a is a photo of person 1 there.
  for (const i of [10, 11, 12, 13, 14]) b[i] = { ...b[i]!, shows: 20 };
  tested[5] = { ...tested[5]!, shows: 0, picture: pictures[0]! };
  const faces = [...a, ...b, ...tested];
  const values = new Float32Array(faces.length * dimension);
  faces.forEach((face, i) => {
    values.set(feature(face, 100 + i), i * dimension);
  });
  const magnitudes = Float32Array.from(faces, ({ length = 10 }) => length);
  found = await checkEmbedded(
    [setOf('a', a), setOf('b', b), setOf('test', tested, true)],
    { values, dimension, magnitudes },
    contract,
  );
  cleaned = cleanData(found, contract.calibration);
});

test('finds labels that were swapped, and faces of nobody', () => {
  expect(found.mislabelled.map(({ face, swappedWith }) => [named(face), named(swappedWith!)])).toEqual([
    ['a/3', 'a/8'],
    ['a/8', 'a/3'],
  ]);
  for (const { own, similarity } of found.mislabelled) expect(similarity).toBeGreaterThan(own! + 0.3);
  expect(found.outliers.map(({ face }) => named(face))).toEqual(['a/14']);
});

test('finds copies of a photo, equal files first', () => {
  expect(found.duplicates.map(({ faces, exact }) => [...faces.map(named), exact])).toEqual([
    ['b/0', 'b/2', true],
    ['a/0', 'test/5', true],
    ['b/0', 'b/1', false],
    ['b/1', 'b/2', false],
  ]);
});

test('finds people with two labels, those of test sets among them', () => {
  const labels = found.samePeople.map(({ people }) =>
    people.map((k) => `${found.sets[found.people[k]!.set]!.name} ${found.people[k]!.label}`),
  );
  expect(labels.sort()).toEqual([
    ['a 2', 'b 1'],
    ['b 2', 'test 0'],
  ]);
});

test('tells images that cannot be used, with a reason', () => {
  expect(found.unusable.map(({ image }) => named(image))).toEqual(['a/19']);
  expect(found.unusable[0]!.reason).toMatch(/Expected a .* image/);
});

test('counts images, people, sizes and qualities of each set', () => {
  const { images, people, imagesPerPerson, sizes, otherSizes, quality, qualityHistogram } = found.sets[0]!.statistics;
  expect({ images, people, otherSizes }).toEqual({ images: 20, people: 4, otherSizes: 1 });
  expect(imagesPerPerson).toMatchObject({ least: 5, median: 5, most: 5 });
  expect(sizes).toEqual([{ size: '112x112', images: 19 }]);
  expect(quality!.median).toBe(50);
  expect(qualityHistogram!.reduce((a, b) => a + b)).toBe(19);
});

test('keeps the rest under new labels without gaps', () => {
  const reasons = Object.fromEntries(cleaned.flatMap(({ image, reason }) => (reason ? [[named(image), reason]] : [])));
  expect(reasons).toMatchObject({
    'a/0': 'photo_in_test_set',
    'a/3': 'mislabelled',
    'a/8': 'mislabelled',
    'a/14': 'outlier',
    'a/19': 'unusable',
    'b/5': 'same_person',
    'b/10': 'person_in_test_set',
  });
  expect(['b/0', 'b/1', 'b/2'].filter((name) => reasons[name] === 'duplicate')).toHaveLength(2);
  const labels = [...new Set(cleaned.flatMap(({ label }) => (label === null ? [] : [label])))];
  expect(labels.sort()).toEqual([0, 1, 2, 3, 4]);
  const labelOf = (name: string) => cleaned.find(({ image }) => named(image) === name)!.label;
  expect(labelOf('a/3')).toBe(labelOf('a/9'));
  expect(labelOf('b/6')).toBe(labelOf('a/10'));
  expect(cleaned.some(({ image }) => named(image).startsWith('test'))).toBe(false);
});

test('finds nothing in sets without faults', async () => {
  const pictures = await Promise.all(Array.from({ length: 12 }, (_, i) => picture(500 + i)));
  const faces = pictures.map((bytes, i): Face => ({ shows: i % 3, label: i % 3, picture: bytes }));
  const values = new Float32Array(faces.length * dimension);
  faces.forEach((face, i) => {
    values.set(feature(face, 900 + i), i * dimension);
  });
  const clean = await checkEmbedded(
    [setOf('c', faces)],
    { values, dimension, magnitudes: new Float32Array(12).fill(10) },
    contract,
  );
  const { duplicates, mislabelled, outliers, samePeople, unusable } = clean;
  expect({ duplicates, mislabelled, outliers, samePeople, unusable }).toEqual({
    duplicates: [],
    mislabelled: [],
    outliers: [],
    samePeople: [],
    unusable: [],
  });
  expect(cleanData(clean).every(({ reason }) => reason === undefined)).toBe(true);
});

test('needs a model with measured thresholds', async () => {
  const set = setOf('d', [{ shows: 0, label: 0, picture: await picture(1) }]);
  const embedded = { values: new Float32Array(dimension).fill(1), dimension, magnitudes: Float32Array.of(1) };
  await expect(checkEmbedded([set], embedded, {})).rejects.toThrow(ConfigError);
});
