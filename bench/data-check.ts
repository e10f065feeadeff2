/**
 * `magface data check` on all of LFW and CelebA, for the people whom both have, and on their training lists: as they are, and with
 * planted copies of photos and swapped labels, for precision and recall.
 *
 *     npx tsx -C magface:source bench/data-check.ts
 *
 * Needs LFW and CelebA (`npm run data`); writes bench/results/data-check.json. Everything found that was not planted counts as
 * wrong in `precision`; what is found without planting too is counted apart, since real sets have real faults.
 */
import { readFileSync } from 'node:fs';
import { defaultModels, MagFace } from 'magface';
import sharp from 'sharp';
import { openTrainingSet } from '../packages/magface/src/cli/data/labelled-set.ts';
import { checkEmbedded, type DataCheck, type LabelledSet } from '../packages/magface/src/eval/data/check-data.ts';
import { embedImages, featuresPath } from '../packages/magface/src/eval/embed-set.ts';
import { fileImage, type SetImage } from '../packages/magface/src/eval/face-set.ts';
import { throughCache } from '../packages/magface/src/eval/feature-cache.ts';
import { sha256 } from '../packages/magface/src/format/digest.ts';
import { randomStream } from '../packages/magface/src/random.ts';
import { alsoInLfw, researchFolder } from './support/data.ts';
import { writeResult } from './support/result.ts';

const faces = `${researchFolder('faces/lfw', 'faces/celeba')}faces/`;
const planted = { copies: 200, swaps: 100 } as const;
const options = { aligned: true, allowMissing: true } as const;

await using magface = await MagFace.load({ detector: false });
const { contract } = magface.model;

async function listed(set: string): Promise<LabelledSet> {
  const lines = readFileSync(`${faces}${set}/train.list`, 'utf8').trim().split('\n');
  const images: SetImage[] = [];
  for (const line of lines) {
    const name = `${set}/${line.split(' ')[0]!}`;
    images.push(await fileImage(name, faces + name)); // one open file at a time
  }
  return { name: set, images, labels: lines.map((line) => Number(line.split(' ')[2])) };
}

/** All images of a set, as the command finds them in its folder. */
async function whole(set: string): Promise<LabelledSet> {
  const { images, labels } = await openTrainingSet(`${faces}${set}/aligned`, undefined);
  return { name: set, images: images.map((one) => ({ ...one, name: one.name.slice(faces.length) })), labels };
}

async function features(images: readonly SetImage[]) {
  const set = { name: 'faces', images };
  const path = featuresPath(set, magface, options);
  return (await throughCache(path, () => embedImages(set, magface, options))).images;
}

const wholeSets = [await whole('lfw'), await whole('celeba')];
const wholeImages = wholeSets.flatMap((set) => set.images);
const wholeFeatures = await features(wholeImages);
const rowOf = new Map(wholeImages.map(({ name }, row) => [name, row]));

/** Features of some of these images. */
function featuresOf(some: readonly SetImage[]): typeof wholeFeatures {
  const { values, magnitudes, dimension } = wholeFeatures;
  const rows = some.map((image) => rowOf.get(image.name)!);
  const own = new Float32Array(rows.length * dimension);
  for (const [i, row] of rows.entries())
    own.set(values.subarray(row * dimension, (row + 1) * dimension), i * dimension);
  return { ...wholeFeatures, values: own, magnitudes: Float32Array.from(rows, (row) => magnitudes[row]!) };
}

const sets = [await listed('lfw'), await listed('celeba')];
const images = sets.flatMap((set) => set.images);
const embedded = featuresOf(images);
const started = process.cpuUsage();
const plain = await checkEmbedded(sets, embedded, contract);
const checkSeconds = process.cpuUsage(started).user / 1e6;
const all = await checkEmbedded(wholeSets, wholeFeatures, contract);

/** `7218` for a person of CelebA, the name for one of LFW. */
const folderOf = (found: DataCheck, image: number): string => found.images[image]!.name.split('/')[2]!;
/** Pairs of labels by folder: of both sets, or of one. */
function samePeople(found: DataCheck) {
  const named = found.samePeople.map(({ people, similarity }) => ({
    people: people.map((k) => folderOf(found, found.people[k]!.best)),
    similarity: Number(similarity.toFixed(3)),
    isAcross: found.people[people[0]]!.set !== found.people[people[1]]!.set,
  }));
  const without = ({ isAcross: _, ...pair }: (typeof named)[number]) => pair;
  return {
    across: named.filter(({ isAcross }) => isAcross).map(without),
    within: named.filter(({ isAcross }) => !isAcross).map(without),
  };
}

/** How many of the people whom both sets have were found. */
function sharedPeople(found: DataCheck) {
  const { across } = samePeople(found);
  const right = [...alsoInLfw].filter((id) => across.some(({ people }) => people.includes(id)));
  return {
    known: [...alsoInLfw],
    found: right,
    recall: share(right.length, alsoInLfw.size),
    precision: share(right.length, across.length),
    samePeopleAcross: across,
  };
}

/** Copies as they reach data sets: compressed anew, mirrored, smaller, grey, brighter, cut differently. */
const changes: Readonly<Record<string, (bytes: Uint8Array) => Promise<Buffer>>> = {
  compressed: (bytes) => sharp(bytes).jpeg({ quality: 30 }).toBuffer(),
  mirrored: (bytes) => sharp(bytes).flop().jpeg({ quality: 85 }).toBuffer(),
  half_size: async (bytes) => resized(await sharp(bytes).resize(56, 56).png().toBuffer()),
  grey: (bytes) => sharp(bytes).greyscale().jpeg({ quality: 85 }).toBuffer(),
  brighter: (bytes) => sharp(bytes).modulate({ brightness: 1.25 }).jpeg({ quality: 85 }).toBuffer(),
  cut: async (bytes) =>
    resized(await sharp(bytes).extract({ left: 3, top: 3, width: 106, height: 106 }).png().toBuffer()),
};
const resized = (bytes: Buffer): Promise<Buffer> => sharp(bytes).resize(112, 112).jpeg({ quality: 85 }).toBuffer();

const next = randomStream(27);
const draw = (count: number): number => Math.floor(next() * count);

// Half of the copies stay with their person, the others go to somebody else of either set.
const counts = images.length;
const copies: {
  readonly of: number;
  readonly change: string;
  readonly bytes: Buffer;
  readonly set: number;
  readonly label: number;
}[] = [];
for (let i = 0; i < planted.copies; i++) {
  const of = draw(counts);
  const change = Object.keys(changes)[i % 6]!;
  const bytes = await changes[change]!(await images[of]!.read());
  const home = i % 2 === 0 ? of : draw(counts);
  const { set, person } = plain.images[home]!;
  copies.push({ of, change, bytes, set, label: plain.people[person]!.label });
}
const copied: SetImage[] = copies.map(({ bytes }, i) => ({
  name: `copy/${i}`,
  digest: sha256(bytes),
  read: async () => bytes,
}));
const copyFeatures = await features(copied);

// Swapped labels: of images that the check does not doubt as they are, and that no copy is made of.
const doubted = new Set([
  ...[...plain.mislabelled, ...plain.outliers].map(({ face }) => face),
  ...plain.duplicates.flatMap((one) => one.faces),
  ...copies.map(({ of }) => of),
]);
const swapped = new Map<number, number>();
while (swapped.size < 2 * planted.swaps) {
  const [a, b] = [draw(counts), draw(counts)];
  const free = (i: number): boolean => !doubted.has(i) && !swapped.has(i);
  if (!free(a) || !free(b) || plain.images[a]!.person === plain.images[b]!.person) continue;
  if (plain.images[a]!.set !== plain.images[b]!.set) continue;
  swapped.set(a, b).set(b, a);
}

// The copies follow the images of their sets.
const order: { readonly row: number; readonly copy: boolean }[] = [];
const spoiled = sets.map((set, s): LabelledSet => {
  const first = s === 0 ? 0 : sets[0]!.images.length;
  const own = set.images.map((_, i) => first + i);
  const added = Array.from(copies.keys()).filter((i) => copies[i]!.set === s);
  order.push(...own.map((row) => ({ row, copy: false })), ...added.map((row) => ({ row, copy: true })));
  const labelOf = (i: number): number => plain.people[plain.images[swapped.get(i) ?? i]!.person]!.label;
  return {
    name: set.name,
    images: [...set.images, ...added.map((i) => copied[i]!)],
    labels: [...own.map(labelOf), ...added.map((i) => copies[i]!.label)],
  };
});
const { dimension } = embedded;
const values = new Float32Array(order.length * dimension);
const magnitudes = new Float32Array(order.length);
order.forEach(({ row, copy }, i) => {
  const from = copy ? copyFeatures : embedded;
  values.set(from.values.subarray(row * dimension, (row + 1) * dimension), i * dimension);
  magnitudes[i] = from.magnitudes[row]!;
});
const found = await checkEmbedded(spoiled, { values, dimension, magnitudes }, contract);

const name = (of: DataCheck, i: number): string => of.images[i]!.name;
const pairKey = (of: DataCheck, pair: readonly [number, number]): string =>
  pair
    .map((i) => name(of, i))
    .sort()
    .join(' ');
const knownPairs = new Set(plain.duplicates.map((one) => pairKey(plain, one.faces)));
const knownDoubts = new Set([...plain.mislabelled, ...plain.outliers].map(({ face }) => name(plain, face)));

/** A pair counts if it joins a copy with its original, or two copies of one photo. */
const originalOf = (i: number): string => {
  const copy = /^copy\/(\d+)$/.exec(name(found, i));
  return copy === null ? name(found, i) : images[copies[Number(copy[1])]!.of]!.name;
};
const isPlantedPair = ([a, b]: readonly [number, number]): boolean => originalOf(a) === originalOf(b);
const foundCopies = new Set(
  found.duplicates
    .filter((one) => isPlantedPair(one.faces))
    .flatMap((one) => one.faces.map((i) => name(found, i)).filter((text) => text.startsWith('copy/'))),
);
const wrongPairs = found.duplicates.filter((one) => !isPlantedPair(one.faces));
const copyRecall = Object.fromEntries(
  Object.keys(changes).map((change) => {
    const of = copies.flatMap((copy, i) => (copy.change === change ? [`copy/${i}`] : []));
    return [change, share(of.filter((one) => foundCopies.has(one)).length, of.length)];
  }),
);

const swappedNames = new Set([...swapped.keys()].map((i) => images[i]!.name));
// A copy under another person's label is mislabelled too.
const foreign = new Set(
  copies.flatMap(({ of, set, label }, i) => {
    const { set: ownSet, person } = plain.images[of]!;
    return ownSet === set && plain.people[person]!.label === label ? [] : [`copy/${i}`];
  }),
);
const wrongLabels = new Set([...swappedNames, ...foreign]);
const called = found.mislabelled.map(({ face }) => name(found, face));
const calledSwaps = found.mislabelled.filter(({ swappedWith }) => swappedWith !== undefined);
const rightSwaps = calledSwaps.filter(({ face, swappedWith }) => {
  const of = images.findIndex((image) => image.name === name(found, face));
  const partner = of < 0 ? undefined : swapped.get(of);
  return partner !== undefined && images[partner]!.name === name(found, swappedWith!);
});
const suspects = [...called, ...found.outliers.map(({ face }) => name(found, face))];

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : Number((part / whole).toFixed(4));
}

function rates(right: number, calls: number, knownCalls: number, truth: number): Record<string, unknown> {
  return {
    planted: truth,
    found: right,
    recall: share(right, truth),
    called: calls,
    precision: share(right, calls),
    calledWithoutPlantingToo: knownCalls,
    precisionWithoutThese: share(right, calls - knownCalls),
  };
}

writeResult('data-check', {
  model: defaultModels.recogniser,
  wholeSets: {
    sets: all.sets,
    sharedPeople: sharedPeople(all),
    samePeopleWithin: samePeople(all).within,
    duplicates: all.duplicates.length,
    mislabelled: all.mislabelled.length,
    outliers: all.outliers.length,
  },
  sets: plain.sets,
  asTheyAre: {
    samePeopleWithin: samePeople(plain).within,
    duplicates: plain.duplicates.map((one) => one.faces.map((i) => name(plain, i))),
    mislabelled: plain.mislabelled.map(({ face, person }) => [
      name(plain, face),
      name(plain, plain.people[person]!.best),
    ]),
    outliers: plain.outliers.map(({ face }) => name(plain, face)),
    processorSeconds: Number(checkSeconds.toFixed(1)),
  },
  plantedCopies: {
    ...rates(
      foundCopies.size,
      foundCopies.size + wrongPairs.length,
      wrongPairs.filter((one) => knownPairs.has(pairKey(found, one.faces))).length,
      copies.length,
    ),
    recallByChange: copyRecall,
  },
  plantedSwaps: {
    images: rates(
      called.filter((one) => wrongLabels.has(one)).length,
      called.length,
      called.filter((one) => knownDoubts.has(one)).length,
      wrongLabels.size,
    ),
    withOutliers: rates(
      suspects.filter((one) => wrongLabels.has(one)).length,
      suspects.length,
      suspects.filter((one) => knownDoubts.has(one)).length,
      wrongLabels.size,
    ),
    namedAsSwaps: rates(rightSwaps.length, calledSwaps.length, 0, swappedNames.size),
  },
});
