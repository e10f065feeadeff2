/**
 * The threshold of a gallery at a false positive identification rate: the share of strangers for whom somebody is named. Every
 * enrolled face serves as a stranger once: its similarity to the nearest other person is what a stranger would reach. A
 * generalised Pareto distribution is fitted to the highest of these maxima.
 *
 * Few people leave that fit uncertain. So the fit is repeated on 100 draws, each of half as many people as there are, since
 * maxima come in pairs: if one person is another's nearest, the reverse often holds too. The threshold is the one at which the mean
 * of the rates of all fits is the rate asked for, and the interval holds 95 % of these rates. Taking the best fit's
 * threshold would name strangers two to three times too often in a gallery of 30.
 *
 * A person who is enrolled twice, or a photo under a wrong name, gives a maximum far above all others, and one distribution
 * for both makes the threshold too high. So maxima at or above the similarity at which `checkGallery` calls two people probably one
 * are counted, but the distribution is not fitted to them: the rate is their share plus the tail of the others. If they
 * alone exceed the rate asked for, all maxima make one tail.
 *
 * @see Scheirer et al., "Meta-recognition: the theory and practice of recognition score analysis", TPAMI 2011, for tails of scores
 */
import type { DecisionThreshold } from '../decision.ts';
import { ConfigError } from '../errors.ts';
import { similarityAt } from '../false-match-rate.ts';
import { fitGeneralisedPareto, type GeneralisedPareto, type ShapePrior, survival } from '../generalised-pareto.ts';
import { randomStream } from '../random.ts';
import { twinThresholdOf } from './check-gallery.ts';
import { type ComparedPerson, nearestOthers, turnGiver } from './nearest-others.ts';

/** A decision threshold for everybody in a gallery at once. */
export interface OpenSetThreshold {
  /** Least cosine at which a person is named; otherwise the answer is "unknown". */
  readonly threshold: number;
  /** The false positive identification rate that was asked for. */
  readonly fpir: number;
  /** The rate at the threshold lies here with a probability of 95 %, as far as the gallery tells; null from `model`. */
  readonly interval: readonly [low: number, high: number] | null;
  /** `gallery`: from its own people; `model`: too few of them, so from the model's measured rates. */
  readonly source: 'gallery' | 'model';
}

/** Fewer people are too few for a tail. */
const fewestPeople = 20;
/** Share of the maxima in the tail, and most of them. */
const [tailShare, mostInTail] = [0.6, 200];
/** Fits to draws of people. */
const draws = 100;
/** Of a fit: far below what draws differ by. */
const tolerance = 2e-3;
/** Maxima of cosines have tails that end: this was seen on CFP's people, and the data soon outweigh it. */
const shapePrior: ShapePrior = { mean: -0.1, deviation: 0.1 };
/** Products of one face with one template: ten seconds on a core. */
const mostProducts = 2e7;

/** The tail of some maxima: a share of all lies above the start. */
export interface Tail extends GeneralisedPareto {
  readonly start: number;
  readonly share: number;
  /** Share of all that is counted apart, of people who are probably one. */
  readonly twins: number;
}

/** The tails of one draw. */
export interface DrawnTails {
  /** Of all maxima. */
  readonly whole: Tail;
  /** Of those below the similarity of twins. */
  readonly body: Tail;
}

/** What a gallery tells of strangers, for any rate. */
export interface StrangerTails {
  readonly people: number;
  /** A tail for each draw; none of fewer than 20 people. */
  readonly tails: readonly DrawnTails[];
}

/**
 * @param people - everybody in the gallery
 * @param thresholds - of the model, for galleries of fewer than 20 people
 * @param fpir - the largest share of strangers who may be named, in (0, 1)
 * @throws {ConfigError} if the rate is none, or there are too few people and the model has no thresholds
 */
export async function openSetThreshold(
  people: readonly ComparedPerson[],
  thresholds: readonly DecisionThreshold[] | undefined,
  fpir: number,
): Promise<OpenSetThreshold> {
  expectRate(fpir);
  return thresholdOfTails(await strangerTails(people, thresholds), thresholds, fpir);
}

/** Takes seconds for thousands of people; the result serves for every rate. */
export async function strangerTails(
  people: readonly ComparedPerson[],
  thresholds: readonly DecisionThreshold[] | undefined,
): Promise<StrangerTails> {
  if (people.length < fewestPeople) return { people: people.length, tails: [] };
  const tails = await tailsOfMaxima(await impostorMaxima(people), twinThresholdOf(people.length, thresholds));
  return { people: people.length, tails };
}

/** As {@link openSetThreshold}. */
export function thresholdOfTails(
  { people, tails }: StrangerTails,
  thresholds: readonly DecisionThreshold[] | undefined,
  fpir: number,
): OpenSetThreshold {
  expectRate(fpir);
  if (tails.length > 0) return thresholdAmong(tails, fpir);
  const threshold = similarityAt(Math.min(0.5, fpir / Math.max(1, people)), thresholds ?? []);
  return { threshold, fpir, interval: null, source: 'model' };
}

function expectRate(fpir: number): void {
  if (fpir > 0 && fpir < 1) return;
  throw new ConfigError('fpir', {
    expected: 'a rate between 0 and 1',
    received: fpir,
    remedy: 'use 0.01, for example',
  });
}

/** @returns per person, the cosines of its faces to the nearest other person; of a large gallery, those of some faces */
export async function impostorMaxima(people: readonly ComparedPerson[]): Promise<number[][]> {
  const maxima: number[][] = people.map(() => []);
  for (const { person, similarity } of await nearestOthers(people, { most: Math.ceil(mostProducts / people.length) }))
    maxima[person]!.push(similarity);
  return maxima.filter(({ length }) => length > 0);
}

/**
 * @param maxima - per person, as {@link impostorMaxima} gives them
 * @param twins - least cosine of people who are probably one. @default nobody is
 */
export async function thresholdOfMaxima(
  maxima: readonly (readonly number[])[],
  fpir: number,
  twins: number | null = null,
): Promise<OpenSetThreshold> {
  return thresholdAmong(await tailsOfMaxima(maxima, twins), fpir);
}

async function tailsOfMaxima(maxima: readonly (readonly number[])[], twins: number | null): Promise<DrawnTails[]> {
  const random = randomStream(1);
  const drawn = (): readonly number[] => maxima[Math.floor(random() * maxima.length)]!;
  const giveTurn = turnGiver();
  const tails: DrawnTails[] = [];
  while (tails.length < draws) {
    const all = Array.from({ length: Math.ceil(maxima.length / 2) }, drawn).flat();
    const others = twins === null ? all : all.filter((one) => one < twins);
    const whole = tailOf(all, all.length);
    // A fit needs a few.
    tails.push({ whole, body: others.length < all.length && others.length > 2 ? tailOf(others, all.length) : whole });
    await giveTurn();
  }
  return tails;
}

function thresholdAmong(drawn: readonly DrawnTails[], fpir: number): OpenSetThreshold {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const areFew = mean(drawn.map(({ body }) => body.twins)) < fpir;
  const tails = drawn.map(({ whole, body }) => (areFew ? body : whole));
  const meanRate = (threshold: number): number => mean(tails.map((tail) => rateAt(threshold, tail)));
  let [low, high] = [-1, 1];
  while (high - low > 1e-6) {
    const middle = (low + high) / 2;
    if (meanRate(middle) > fpir) low = middle;
    else high = middle;
  }
  const rates = tails.map((tail) => rateAt(high, tail)).sort((a, b) => a - b);
  const outside = Math.round(0.025 * draws);
  return { threshold: high, fpir, interval: [rates[outside]!, rates[draws - 1 - outside]!], source: 'gallery' };
}

/** @param all - the number of maxima with those that are counted apart */
function tailOf(maxima: readonly number[], all: number): Tail {
  const sorted = Float64Array.from(maxima).sort();
  const count = Math.min(sorted.length - 1, mostInTail, Math.ceil(tailShare * sorted.length));
  const start = sorted[sorted.length - 1 - count]!;
  const excesses = sorted.subarray(-count).map((value) => Math.max(value - start, 1e-6)); // equal ones of a draw
  const fitted = fitGeneralisedPareto(excesses, shapePrior, tolerance);
  return { ...fitted, start, share: count / all, twins: (all - maxima.length) / all };
}

/** Below its start a tail says nothing: there everybody may pass. */
const rateAt = (threshold: number, { start, share, twins, ...tail }: Tail): number =>
  threshold < start ? 1 : twins + share * survival(threshold - start, tail);
