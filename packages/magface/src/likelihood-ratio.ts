/**
 * How much a comparison says: how many times likelier similarity and magnitudes are if two faces show the same person than if they
 * show two people,
 *
 *     ln LR = w0 + w1 s + w2 a + w3 s a,   a = min(a1, a2)
 *
 * with the cosine s and the lesser magnitude a. A poor face makes a low similarity say little and a high one more. The weights are
 * in the model's record, fitted by logistic regression with both cases weighted equally (`eval/fit-likelihood.ts`).
 *
 * @see Brümmer and du Preez, "Application-independent evaluation of speaker detection", Computer Speech and Language 2006
 */

/** The fitted weights, their uncertainty and their limits. */
export interface LikelihoodModel {
  /** w0 to w3. */
  readonly weights: readonly [number, number, number, number];
  /** Covariance of the weights by a bootstrap over people: the upper triangle, row by row. */
  readonly covariance: readonly number[];
  /** Least and greatest magnitude of the reference faces: others count as the nearer of these. */
  readonly magnitudes: readonly [number, number];
  /** Least and greatest ratio that so many people can show. */
  readonly ratios: readonly [number, number];
  /**
   * The expected cosine r of a face's direction and its person's: ln(r / (1 − r)) = g0 + g1 a. Groups of faces are compared by
   * it. @default not known
   */
  readonly agreement?: readonly [number, number] | undefined;
  /**
   * Directions that faces have in common whoever they show, poor faces above all, as (K, D) int8 in base64. Groups of faces are
   * compared without them. @default none
   */
  readonly common?: string | undefined;
  /** The data they were fitted to, for people to read. */
  readonly source: string;
}

/** What a comparison says. */
export interface LikelihoodRatio {
  /** Above 1 for the same person, below 1 for two people. */
  readonly ratio: number;
  /** Its 95 % interval, from the uncertainty of the weights. */
  readonly interval: readonly [low: number, high: number];
  /** Whether the ratio is the least or greatest that the reference faces can show. */
  readonly limited: boolean;
}

/** Standard deviations on each side that hold 95 %. */
const halfWidth = 1.959964;

/**
 * @param similarity - cosine of two embeddings
 * @param magnitudes - of the two faces
 */
export function likelihoodRatio(
  similarity: number,
  magnitudes: readonly [number, number],
  { weights, covariance, magnitudes: [low, high], ratios: [least, most] }: LikelihoodModel,
): LikelihoodRatio {
  const magnitude = Math.min(high, Math.max(low, Math.min(...magnitudes)));
  const x = likelihoodTerms(similarity, magnitude);
  const log = x.reduce((sum, value, i) => sum + value * weights[i]!, 0);
  let [variance, at] = [0, 0];
  for (let i = 0; i < x.length; i++)
    for (let j = i; j < x.length; j++) variance += (i === j ? 1 : 2) * covariance[at++]! * x[i]! * x[j]!;
  const width = halfWidth * Math.sqrt(Math.max(0, variance));
  const within = (value: number): number => Math.min(most, Math.max(least, Math.exp(value)));
  const ratio = within(log);
  return {
    ratio,
    interval: [within(log - width), within(log + width)],
    limited: ratio === least || ratio === most,
  };
}

/** @returns the terms that the weights multiply */
export const likelihoodTerms = (similarity: number, magnitude: number): [number, number, number, number] => [
  1,
  similarity,
  magnitude,
  similarity * magnitude,
];

/** @returns a ratio of 1 or more in round numbers: `3.2`, `45`, `400`, `20,000` */
function rounded(ratio: number): string {
  return Number(ratio.toPrecision(ratio < 100 ? 2 : 1)).toLocaleString('en');
}

/** Ratios nearer to 1 say little. */
const littleBelow = 2;

/** @returns `about 400 times likelier the same person than two people (95 %: 300 to 600)` */
export function describeLikelihood({ ratio, interval: [low, high], limited }: LikelihoodRatio): string {
  const [cases, least, most] =
    ratio >= 1
      ? ['the same person than two people', low, high]
      : ['two people than the same person', 1 / high, 1 / low];
  const times = Math.max(ratio, 1 / ratio);
  const little = times < littleBelow ? ', which says little' : '';
  if (limited) return `at least ${rounded(times)} times likelier ${cases}, the most that the reference faces can show`;
  const between = least < 1 ? `${least.toPrecision(1)} to ${rounded(most)}` : `${rounded(least)} to ${rounded(most)}`;
  return `about ${rounded(times)} times likelier ${cases} (95 %: ${between})${little}`;
}
