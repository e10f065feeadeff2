/** The golden cases of all heads, with their inputs rebuilt. */
import { fromArray, type Tensor } from '@magface/torch';
import type { LossName } from '../../../../src/train/model/heads/loss-table.ts';
import { fixtureJson } from '../../../support/fixtures.ts';
import { u01 } from '../../golden.ts';

export interface GoldenStep {
  readonly loss: number;
  readonly state: Readonly<Record<string, number>>;
  readonly gradX: readonly number[];
  /** (D, K) */
  readonly gradW: readonly number[];
  /** Of the trained bias or margins. */
  readonly gradExtra: readonly number[];
}

export interface GoldenCase {
  readonly tag: string;
  readonly loss: LossName;
  readonly spread: number;
  readonly steps: readonly GoldenStep[];
}

export const golden = fixtureJson<{
  readonly N: number;
  readonly D: number;
  readonly K: number;
  readonly seed: number;
  readonly cases: readonly GoldenCase[];
}>('heads/heads.json');

/** Label smoothing by PyTorch, on inputs of other cases. */
export const smoothing = fixtureJson<{
  readonly cases: readonly (Pick<GoldenCase, 'tag' | 'loss' | 'spread'> &
    Pick<GoldenStep, 'gradX' | 'gradW'> & { readonly smoothing: number; readonly value: number })[];
}>('heads/smoothing.json').cases;

/** x (N, D) and w (D, K), both leaves, and labels (N). */
export function goldenInputs({
  tag,
  spread,
}: Pick<GoldenCase, 'tag' | 'spread'>): Readonly<Record<'x' | 'w' | 'labels', Tensor>> {
  const { N, D, K } = golden;
  const w = u01(`${tag}/w`, D * K).map((u) => u - 0.5);
  const labels = Array.from(u01(`${tag}/y`, N), (u) => Math.floor(u * K));
  const x = u01(`${tag}/x`, N * D).map((u, at) => {
    const [i, d] = [Math.floor(at / D), at % D];
    return spread * (u - 0.5 + (i % 2) * w[d * K + labels[i]!]!);
  });
  return {
    x: leaf(x, [N, D]),
    w: leaf(w, [D, K]),
    labels: fromArray(BigInt64Array.from(labels, BigInt)),
  };
}

function leaf(values: Float32Array, shape: readonly number[]): Tensor {
  const tensor = fromArray(values, shape);
  tensor.requiresGrad = true;
  return tensor;
}

/** Largest difference, relative to the largest expected value. */
export function difference(actual: ArrayLike<number | bigint>, expected: readonly number[]): number {
  const largest = Math.max(...expected.map(Math.abs));
  return Math.max(...expected.map((value, i) => Math.abs(Number(actual[i]) - value))) / largest;
}
