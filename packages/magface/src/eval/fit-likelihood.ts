/**
 * Fits the weights of likelihood ratios by logistic regression: genuine and impostor pairs weigh the same in sum, so that the
 * fitted log odds are ln LR. A bootstrap over people gives the weights' covariance.
 */
import { MagfaceError } from '../errors.ts';
import { type LikelihoodModel, likelihoodTerms } from '../likelihood-ratio.ts';
import { solvePositive } from '../solve-positive.ts';
import { type DrawOptions, drawPeople } from './bootstrap.ts';
import type { PairIdentities } from './identities.ts';

/** Pairs to fit to. */
export interface LikelihoodPairs {
  /** (P) cosines. */
  readonly similarities: Float64Array;
  /** (P) the lesser magnitude of the two faces. */
  readonly magnitudes: Float64Array;
  /** (P) 1 for genuine pairs. */
  readonly same: Uint8Array;
}

const terms = 4;
type Weights = [number, number, number, number];

/**
 * The ratios are limited to what so many people can show: with K people of genuine pairs and M pairs of people compared, no ratio
 * below 1 / K or above M is supported, since that many comparisons hold no case to the contrary.
 *
 * @param people - of the pairs
 * @throws {MagfaceError} `evaluation_impossible` without pairs of both kinds, or if a higher similarity does not speak for one person
 */
export function fitLikelihood(
  pairs: LikelihoodPairs,
  people: PairIdentities,
  { replicates = 200, seed = 1 }: DrawOptions = {},
): Omit<LikelihoodModel, 'source'> {
  const { similarities, magnitudes, same } = pairs;
  const rows = Float64Array.from({ length: terms * same.length }, (_, at) => {
    const pair = Math.floor(at / terms);
    return likelihoodTerms(similarities[pair]!, magnitudes[pair]!)[at % terms]!;
  });
  const weights = logistic(rows, same, new Uint32Array(same.length).fill(1), [0, 0, 0, 0]);
  const sorted = Float64Array.from(magnitudes).sort();
  const [low, high] = [sorted[0]!, sorted.at(-1)!];
  const slope = Math.min(weights[1] + weights[3] * low, weights[1] + weights[3] * high);
  if (!(slope > 0))
    throw new MagfaceError('evaluation_impossible', {
      expected: 'similarities that speak for one person',
      problem: `the fitted slope is ${slope}`,
      remedy: 'check the pairs',
    });
  const drawn = drawPeople(same, people, { replicates, seed }, (times) => logistic(rows, same, times, weights));
  return {
    weights,
    covariance: covarianceOf(drawn),
    magnitudes: [low, high],
    ratios: supportedRatios(same, people),
  };
}

function supportedRatios(same: Uint8Array, { left, right, count }: PairIdentities): [number, number] {
  const genuine = new Set<number>();
  const impostors = new Set<number>();
  same.forEach((one, pair) => {
    const [a, b] = [left[pair]!, right[pair]!];
    if (one === 1) genuine.add(a);
    else impostors.add(Math.min(a, b) * count + Math.max(a, b));
  });
  return [1 / genuine.size, impostors.size];
}

const longestStep = 20;

/** Newton's method. @param times - (P) how often each pair counts */
function logistic(rows: Float64Array, same: Uint8Array, times: Uint32Array, start: Weights): Weights {
  const totals = [0, 0];
  same.forEach((one, pair) => {
    totals[one]! += times[pair]!;
  });
  if (totals.includes(0))
    throw new MagfaceError('evaluation_impossible', {
      expected: 'pairs of both kinds',
      received: 'one kind',
      remedy: 'add pairs',
    });
  const scale = totals.map((total) => 0.5 / total);
  const weights: Weights = [...start];
  for (let round = 0; round < 50; round++) {
    const gradient = new Float64Array(terms);
    const hessian = new Float64Array(terms * terms); // its lower triangle
    for (let pair = 0; pair < same.length; pair++) {
      const weight = times[pair]! * scale[same[pair]!]!;
      if (weight === 0) continue;
      const at = pair * terms;
      let log = 0;
      for (let i = 0; i < terms; i++) log += weights[i]! * rows[at + i]!;
      const p = 1 / (1 + Math.exp(-log));
      const [rest, curve] = [weight * (same[pair]! - p), weight * p * (1 - p)];
      for (let i = 0; i < terms; i++) {
        gradient[i]! += rest * rows[at + i]!;
        for (let j = 0; j <= i; j++) hessian[i * terms + j]! += curve * rows[at + i]! * rows[at + j]!;
      }
    }
    for (let i = 0; i < terms; i++) hessian[i * terms + i]! += 1e-12; // keeps it positive definite
    const step = solvePositive(hessian, gradient);
    // A draw whose pairs hardly overlap has its optimum far away, where Newton's steps overshoot.
    const damping = Math.min(1, longestStep / Math.max(...step.map(Math.abs)));
    if (!(damping > 0)) break;
    for (let i = 0; i < terms; i++) weights[i]! += damping * step[i]!;
    if (step.every((value) => Math.abs(value) < 1e-9)) break;
  }
  return weights;
}

/** The upper triangle, row by row. */
function covarianceOf(drawn: readonly Weights[]): number[] {
  const mean = [0, 1, 2, 3].map((i) => drawn.reduce((sum, weights) => sum + weights[i]!, 0) / drawn.length);
  const found: number[] = [];
  for (let i = 0; i < terms; i++)
    for (let j = i; j < terms; j++) {
      const products = drawn.reduce((sum, w) => sum + (w[i]! - mean[i]!) * (w[j]! - mean[j]!), 0);
      found.push(products / (drawn.length - 1));
    }
  return found;
}
