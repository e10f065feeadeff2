/** Checks training sets before they are used: duplicates, wrong labels, people with two labels, overlaps with test sets. */
import sharp from 'sharp';
import type { DecisionThreshold } from '../../decision.ts';
import { firstLine } from '../../errors.ts';
import type { MagFace } from '../../infer/node/magface.ts';
import { readImage } from '../../infer/node/read-image.ts';
import type { ImageSize } from '../../pixels.ts';
import type { Calibration } from '../../quality.ts';
import { type EmbeddingModels, type EmbedSetOptions, embedImages, featuresPath } from '../embed-set.ts';
import type { SetImage } from '../face-set.ts';
import { type EmbeddedImages, throughCache } from '../feature-cache.ts';
import { type Duplicate, duplicateCandidates, findDuplicates, type Miniature, miniature } from './duplicates.ts';
import { findLabelFaults, type LabelFaults } from './label-faults.ts';
import { type LabelledFaces, peopleIn } from './labelled-faces.ts';
import { nearestPeople } from './nearest-people.ts';
import { findSamePeople, groupsOf, type SamePerson } from './same-people.ts';
import { type SetStatistics, setStatistics } from './set-statistics.ts';

/** A set of images with labels. */
export interface LabelledSet {
  readonly name: string;
  readonly images: readonly SetImage[];
  /** (N) label of each image, from 0. */
  readonly labels: ArrayLike<number>;
  /** A set to test on: only its overlaps with the others are looked for. @default false */
  readonly isTest?: boolean;
}

/** An image of one of the sets. */
export interface CheckedImage {
  readonly name: string;
  /** Index of its set. */
  readonly set: number;
  /** Its person, from 0 over all sets. */
  readonly person: number;
  /** Length of its feature; 0 for an image without a face. */
  readonly magnitude: number;
}

/** A label of one of the sets. */
export interface CheckedPerson {
  /** Index of its set. */
  readonly set: number;
  /** As in the set. */
  readonly label: number;
  /** An image of the person: the one of highest magnitude. */
  readonly best: number;
}

/** What a model's record knows; `magface.model.contract` has it. */
export interface MeasuredRecord {
  readonly thresholds?: readonly DecisionThreshold[] | undefined;
  readonly calibration?: Calibration | undefined;
}

/** Everything found. Images and people are named by their index in `images` and `people`. */
export interface DataCheck extends LabelFaults {
  readonly sets: readonly { readonly name: string; readonly isTest: boolean; readonly statistics: SetStatistics }[];
  readonly images: readonly CheckedImage[];
  readonly people: readonly CheckedPerson[];
  /** Images without a feature, and why. */
  readonly unusable: readonly { readonly image: number; readonly reason: string }[];
  readonly duplicates: readonly Duplicate[];
  /** Labels that are one person, the pairs of a training set and a test set among them. */
  readonly samePeople: readonly SamePerson[];
}

/**
 * Embeds the images, or reads their features from the cache, and looks for faults.
 *
 * @param sets - at least one that is not for tests; the time grows with images times people
 * @throws {ConfigError} `thresholds` if the model's record has none
 *
 * @example
 * ```ts
 * import { MagFace } from 'magface';
 * import { checkData, openFaceSet } from 'magface/eval';
 *
 * await using magface = await MagFace.load({ detector: false });
 * const { images } = await openFaceSet('aligned', { pairs: 'aligned/pairs.csv' });
 * const labels = [0, 0, 1, 2, 2, 3];
 * const found = await checkData([{ name: 'aligned', images, labels }], magface, { aligned: true });
 * for (const { faces } of found.duplicates) console.log(faces.map((i) => found.images[i]?.name));
 * ```
 */
export async function checkData(
  sets: readonly LabelledSet[],
  magface: EmbeddingModels & Pick<MagFace, 'stream'>,
  options: EmbedSetOptions = {},
): Promise<DataCheck> {
  const all = { name: sets.map(({ name }) => name).join(', '), images: sets.flatMap(({ images }) => images) };
  const wanted = { ...options, allowMissing: true };
  const path = options.cacheDir === false ? undefined : featuresPath(all, magface, wanted);
  const { images } = await throughCache(path, () => embedImages(all, magface, wanted));
  return checkEmbedded(sets, images, magface.model.contract);
}

/**
 * Looks for faults in embedded sets.
 *
 * @param embedded - of the images of all sets, one set after another
 * @throws {ConfigError} `thresholds` if the model's record has none
 */
export async function checkEmbedded(
  sets: readonly LabelledSet[],
  { values, dimension, magnitudes }: EmbeddedImages,
  { thresholds = [], calibration }: MeasuredRecord,
): Promise<DataCheck> {
  const images = sets.flatMap((set) => set.images);
  const { setOf, personOf, labels } = numbered(sets);
  const testSets = new Set(sets.flatMap(({ isTest = false }, set) => (isTest ? [set] : [])));
  const faces: LabelledFaces = { features: { values, dimension }, sets: setOf, people: personOf, testSets };
  const areCompared = (a: number, b: number): boolean => !(testSets.has(a) && testSets.has(b));

  const everybody = peopleIn(faces);
  const before = findSamePeople(faces, everybody, { thresholds, areCompared });
  const groups = groupsOf(
    labels.length,
    before.map(({ people }) => people),
  );
  const faults = findLabelFaults(faces, { thresholds, areOne: (a, b) => groups[a] === groups[b] });
  const wrong = new Set([...faults.mislabelled, ...faults.outliers].map(({ face }) => face));
  const people = peopleIn(faces, wrong);
  const duplicates = await duplicatesOf(faces, { images, everybody, areCompared });

  const heads = await headersOf(images);
  return {
    sets: sets.map(({ name, isTest = false }, set) => {
      const own = Array.from(setOf.keys()).filter((i) => setOf[i] === set);
      const facts = {
        people: own.map((i) => personOf[i]!),
        sizes: own.map((i) => heads[i]),
        magnitudes: own.map((i) => magnitudes[i]!),
      };
      return { name, isTest, statistics: setStatistics(facts, calibration) };
    }),
    images: images.map(({ name }, i) => ({
      ...{ name, set: setOf[i]!, person: personOf[i]!, magnitude: magnitudes[i]! },
    })),
    people: labels.map((label, k) => ({
      ...label,
      best: bestOf(everybody[k]!.faces, magnitudes) ?? personOf.indexOf(k),
    })),
    unusable: await reasonsOf(images, magnitudes),
    ...faults,
    duplicates,
    samePeople: findSamePeople(faces, people, { thresholds, areCompared }),
  };
}

/** Numbers the people of all sets; labels without an image get no number. */
function numbered(sets: readonly LabelledSet[]) {
  const [setOf, personOf]: [number[], number[]] = [[], []];
  const labels: { set: number; label: number }[] = [];
  for (const [set, { labels: own }] of sets.entries()) {
    const known = new Map<number, number>();
    for (const label of Array.from(own)) {
      if (!known.has(label)) known.set(label, labels.push({ set, label }) - 1);
      setOf.push(set);
      personOf.push(known.get(label)!);
    }
  }
  return { setOf: Uint32Array.from(setOf), personOf: Uint32Array.from(personOf), labels };
}

const bestOf = (faces: readonly number[], magnitudes: ArrayLike<number>): number | undefined =>
  faces.toSorted((a, b) => magnitudes[b]! - magnitudes[a]!)[0];

interface Searched {
  readonly images: readonly SetImage[];
  readonly everybody: ReturnType<typeof peopleIn>;
  readonly areCompared: (setA: number, setB: number) => boolean;
}

/** Decodes candidates only, each once. */
async function duplicatesOf(faces: LabelledFaces, { images, everybody, areCompared }: Searched): Promise<Duplicate[]> {
  const nearest = nearestPeople(faces, everybody, { most: 3, least: 0.5 });
  const compared = ([a, b]: readonly [number, number]): boolean => areCompared(faces.sets[a]!, faces.sets[b]!);
  const candidates = duplicateCandidates(faces, everybody, nearest).filter((one) => compared(one.faces));
  const small = new Map<number, Miniature | undefined>();
  for (const face of new Set(candidates.flatMap((one) => one.faces))) {
    const pixels = await readImage(await images[face]!.read()).catch(() => undefined);
    small.set(face, pixels && miniature(pixels));
  }
  const digests = images.map(({ digest }) => digest);
  return findDuplicates(candidates, digests, (face) => small.get(face)).filter((found) => compared(found.faces));
}

/** Sizes by the headers of the files. */
async function headersOf(images: readonly SetImage[]): Promise<(ImageSize | undefined)[]> {
  const sizes: (ImageSize | undefined)[] = [];
  for (const image of images) {
    const head = await sharp(await image.read())
      .metadata()
      .catch(() => undefined);
    sizes.push(head && { width: head.width, height: head.height });
  }
  return sizes;
}

async function reasonsOf(images: readonly SetImage[], magnitudes: ArrayLike<number>): Promise<DataCheck['unusable']> {
  const missing = Array.from(images.keys()).filter((i) => !(magnitudes[i]! > 0));
  const unusable: DataCheck['unusable'][number][] = [];
  for (const image of missing) {
    const reason = await readImage(await images[image]!.read()).then(() => 'no face', firstLine);
    unusable.push({ image, reason });
  }
  return unusable;
}
