/**
 * Looks for mistakes in a gallery: people who are probably one, photos that resemble somebody else more than their own person,
 * and people with a single poor photo. For each photo it says what a better one in its place would gain.
 *
 * The margin of a person's template is the mean cosine of the person's other photos to it, less that of the nearest other
 * person's template. The gain of replacing a photo is at least that of leaving it out.
 */
import type { DecisionThreshold } from '../decision.ts';
import { similarityAt } from '../false-match-rate.ts';
import { product, unitRows } from '../row-products.ts';
import {
  type ComparedPerson,
  type FaceNeighbours,
  nearestOther,
  nearestOthers,
  templateOf,
  turnGiver,
  unitTemplates,
} from './nearest-others.ts';

/** Two people who are probably one. */
export interface ProbableTwins {
  readonly people: readonly [string, string];
  /** Cosine of their templates. */
  readonly similarity: number;
}

/** A photo that causes confusions. */
export interface ConfusingFace {
  readonly person: string;
  /** Its number. */
  readonly face: number;
  readonly image: string | null;
  readonly quality: number | null;
  /** Cosine to the template of the person's other photos. */
  readonly own: number;
  /** The most similar other person, and the cosine to their template. */
  readonly nearest: { readonly person: string; readonly similarity: number };
  /** Margin of the person's template with this photo and without. */
  readonly margin: { readonly now: number; readonly without: number };
}

/** A person with one photo, which is poor. */
export interface PoorPerson {
  readonly person: string;
  readonly face: number;
  readonly image: string | null;
  readonly quality: number;
  /**
   * By how much an ordinary photo (quality 50) of the same person would be more similar to others of them, estimated from
   * this gallery's people; null if it has fewer than 30 photos of people with several.
   */
  readonly gain: number | null;
}

/** Result of a check. */
export interface GalleryCheck {
  readonly people: number;
  readonly faces: number;
  /** Most similar first. */
  readonly twins: readonly ProbableTwins[];
  /** Least cosine of probable twins, at which 0.1 wrong pairs are expected in all; null without thresholds. */
  readonly twinThreshold: number | null;
  /** The largest gain first. */
  readonly confusing: readonly ConfusingFace[];
  /** The poorest first. */
  readonly poor: readonly PoorPerson[];
}

/** Wrong pairs of twins expected in a report. */
const expectedWrongTwins = 0.1;
/** A single photo below this is reported. */
const poorQuality = 40;
/** An ordinary photo. */
const ordinaryQuality = 50;
/** Fewest photos that the estimate is made from. */
const fewestPhotos = 30;

/** @param thresholds - of the model; without them no twins are looked for */
export async function checkGallery(
  people: readonly ComparedPerson[],
  thresholds: readonly DecisionThreshold[] | undefined,
): Promise<GalleryCheck> {
  const templates = unitTemplates(people);
  const compared = await nearestOthers(people, { templates });
  const twinThreshold = twinThresholdOf(people.length, thresholds);
  const confusing = compared
    .filter(({ own, similarity, nearest }) => nearest >= 0 && own !== undefined && own < similarity)
    .map((one) => confusingFace(people, templates, one));
  return {
    people: people.length,
    faces: compared.length,
    twins: twinThreshold === null ? [] : await twinsOf(people, templates, twinThreshold),
    twinThreshold,
    confusing: confusing.sort((a, b) => gainOf(b) - gainOf(a)),
    poor: poorPeople(people, compared),
  };
}

/**
 * @param people - their number
 * @returns the least cosine of people who are probably one; null without thresholds or pairs
 */
export function twinThresholdOf(people: number, thresholds: readonly DecisionThreshold[] | undefined): number | null {
  const pairs = (people * (people - 1)) / 2;
  if (thresholds === undefined || thresholds.length === 0 || pairs === 0) return null;
  return similarityAt(Math.min(0.5, expectedWrongTwins / pairs), thresholds);
}

const gainOf = ({ margin }: ConfusingFace): number => margin.without - margin.now;

async function twinsOf(
  people: readonly ComparedPerson[],
  templates: Float32Array,
  threshold: number,
): Promise<ProbableTwins[]> {
  const dimension = templates.length / people.length;
  const found: ProbableTwins[] = [];
  const giveTurn = turnGiver();
  for (let i = 0; i < people.length; i++) {
    await giveTurn();
    for (let j = i + 1; j < people.length; j++) {
      const similarity = product(templates, i * dimension, templates, j * dimension, dimension);
      if (similarity >= threshold) found.push({ people: [people[i]!.person, people[j]!.person], similarity });
    }
  }
  return found.sort((a, b) => b.similarity - a.similarity);
}

function confusingFace(
  people: readonly ComparedPerson[],
  templates: Float32Array,
  { person, face, own, nearest, similarity }: FaceNeighbours,
): ConfusingFace {
  const { person: name, faces } = people[person]!;
  const others = faces.filter((_, i) => i !== face).map(({ embedding }) => embedding);
  const margin = (used: readonly Float32Array[]): number => {
    const template = unitRows([templateOf(used)]);
    const units = unitRows(others);
    const cosines = others.map((_, i) => product(units, i * template.length, template, 0, template.length));
    return (
      cosines.reduce((sum, value) => sum + value, 0) / others.length - nearestOther(templates, template, person)[1]
    );
  };
  const { face: number, image, quality } = faces[face]!;
  return {
    ...{ person: name, face: number, image, quality, own: own! },
    nearest: { person: people[nearest]!.person, similarity },
    margin: { now: margin([...others, faces[face]!.embedding]), without: margin(others) },
  };
}

function poorPeople(people: readonly ComparedPerson[], compared: readonly FaceNeighbours[]): PoorPerson[] {
  const slope = qualitySlope(people, compared);
  return people
    .flatMap(({ person, faces }) => {
      const [only] = faces;
      if (faces.length !== 1 || only?.quality == null || only.quality >= poorQuality) return [];
      const { face, image, quality } = only;
      const gain = slope === undefined ? null : Math.max(0, slope * (ordinaryQuality - quality));
      return [{ person, face, image, quality, gain }];
    })
    .sort((a, b) => a.quality - b.quality);
}

/** @returns cosine to the own person per unit of quality, by least squares; undefined with too few photos */
function qualitySlope(people: readonly ComparedPerson[], compared: readonly FaceNeighbours[]): number | undefined {
  const points = compared.flatMap(({ person, face, own }) => {
    const { quality } = people[person]!.faces[face]!;
    return own === undefined || quality === null ? [] : [{ quality, own }];
  });
  if (points.length < fewestPhotos) return undefined;
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(points.map(({ quality }) => quality)), mean(points.map(({ own }) => own))];
  const spread = mean(points.map(({ quality }) => (quality - x) ** 2));
  if (spread === 0) return undefined;
  return mean(points.map(({ quality, own }) => (quality - x) * (own - y))) / spread;
}
