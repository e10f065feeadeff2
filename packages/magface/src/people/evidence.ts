/**
 * What a similarity of two groups says: the logarithm of how many times likelier it is for one person than for two.
 *
 * A face of magnitude a shows its person's direction with an expected cosine r, and several such faces with
 *
 *     r = √(t / (1 + t)),   t = Σ t_i,   t_i = r_i² / (1 − r_i²) / 2,   ln(r_i / (1 − r_i)) = g0 + g1 · a_i,
 *
 * so that two groups of one person have an expected cosine ρ = r_A · r_B. Cosines of different people spread around 0 with
 * variance 1/d, those of one person about as much around ρ. The difference of the logarithms of both densities is
 *
 *     score(c) = d · (ρ · c − ρ² / 2)
 *
 * The more comparisons, the higher the score a merge needs. At low scores a poor face needs less similarity than a good one,
 * because its similarity to its own person is low too.
 */
import type { LikelihoodModel } from '../likelihood-ratio.ts';
import { type FaceSum, likeness } from './groups.ts';

/** A group with its evidence. */
export interface WeighedFaces extends FaceSum {
  /** t */
  readonly evidence: number;
}

/** The weight of a face's direction in its group's, and its evidence. */
export interface FaceWeight {
  readonly weight: number;
  readonly evidence: number;
}

/**
 * Cosines of one person's faces vary more than r and d alone would make them, so evidence counts half. Found on every second person
 * of LFW and CelebA.
 */
const shareOfEvidence = 0.5;

/** Of a face if the model's record does not say. */
const ordinaryEvidence = 0.75;

/**
 * @param magnitude - of the embedding
 * @param model - of the record; without `agreement` a face weighs as much as its magnitude, as in the paper
 */
export function faceWeight(magnitude: number, model: LikelihoodModel | undefined): FaceWeight {
  if (magnitude === 0) return { weight: 0, evidence: ordinaryEvidence };
  if (model?.agreement === undefined) return { weight: magnitude, evidence: ordinaryEvidence };
  const [low, high] = model.magnitudes;
  const [intercept, slope] = model.agreement;
  const r = 1 / (1 + Math.exp(-(intercept + slope * Math.min(high, Math.max(low, magnitude)))));
  return { weight: r / (1 - r * r), evidence: (shareOfEvidence * r * r) / (1 - r * r) };
}

/** @returns r, the expected cosine of the group's direction and its person's */
export const reliabilityOf = ({ evidence }: Pick<WeighedFaces, 'evidence'>): number =>
  Math.sqrt(evidence / (1 + evidence));

/** @returns the similarity that a score needs, for two groups whose reliabilities have the product ρ */
export const similarityFor = (score: number, rho: number, dimension: number): number =>
  score / (dimension * rho) + rho / 2;

/** @returns a similarity that no pair of that score is below, whatever its ρ */
export const leastSimilarityFor = (score: number, dimension: number): number =>
  Math.sqrt((2 * Math.max(0, score)) / dimension);

/** @returns the score of two groups; −∞ below the least similarity */
export function scoreOf(a: WeighedFaces, b: WeighedFaces, { dimension, least }: ScoreOptions): number {
  const similarity = likeness(a, b);
  if (similarity < least) return Number.NEGATIVE_INFINITY;
  const rho = reliabilityOf(a) * reliabilityOf(b);
  return dimension * (rho * similarity - (rho * rho) / 2);
}

/** What is known of different people: an `ImpostorLaw` is one. */
export interface ScoreOptions {
  /** d */
  readonly dimension: number;
  /** Less similar groups are two people. */
  readonly least: number;
}
