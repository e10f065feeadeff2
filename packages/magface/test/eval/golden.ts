/** The evaluation goldens: features and pairs in the official texts, and what the official scripts print on them. */
import type { FeatureSet } from '../../src/eval/feature-set.ts';
import type { Pairs } from '../../src/eval/verification.ts';
import { fixtureJson, fixtureText } from '../support/fixtures.ts';

/** What the official scripts printed. */
export interface GoldenEvaluation {
  readonly verification: { readonly accuracy: number; readonly std: number; readonly folds: number };
  readonly errorVersusReject: { readonly rejectRates: number[]; readonly fnmr: number[] };
  readonly ijb: { readonly far: number[]; readonly tar: number[] };
  readonly ijbMagnitudeWeighted: { readonly far: number[]; readonly tar: number[] };
}

export const goldenEvaluation = (): GoldenEvaluation => fixtureJson<GoldenEvaluation>('golden/eval/expected.json');

/** Feature text as `name v1 v2 ...`, read the short way. */
export function goldenFeatures(path: string): FeatureSet {
  const rows = lines(path).map((line) => line.split(' '));
  const values = Float32Array.from(rows.flatMap(([, ...row]) => row.map(Number)));
  return { values, dimension: values.length / rows.length, names: rows.map(([name = '']) => name) };
}

/** The official order: pair k is feature lines 2k and 2k + 1. */
export function goldenPairs(): Pairs {
  const same = Uint8Array.from(lines('eval/pair.list'), (line) => Number(line.split(' ').at(-1)));
  return { left: Uint32Array.from(same, (_, k) => 2 * k), right: Uint32Array.from(same, (_, k) => 2 * k + 1), same };
}

const lines = (path: string): string[] =>
  fixtureText(`golden/${path}`)
    .trim()
    .split('\n')
    .map((line) => line.trim());
