/** What scikit-learn says on the features of `fixtures/clusters/make.py`. */
import type { FeatureSet } from '../../../src/eval/feature-set.ts';
import { fixtureJson } from '../../support/fixtures.ts';

interface Measures {
  readonly clusters: readonly number[];
  readonly people: readonly number[];
  readonly pairwise: readonly (number | null)[];
  readonly bcubed: readonly number[];
  readonly nmi: number;
}

type Role = 'none' | 'weight';

export interface GoldenClusters {
  readonly measures: readonly Measures[];
  readonly dimension: number;
  readonly features: readonly number[];
  readonly people: readonly number[];
  readonly magnitudes: readonly number[];
  readonly initial: readonly number[];
  readonly kmeans: Readonly<Record<Role, readonly number[]>>;
  /** By threshold. */
  readonly ahc: Readonly<Record<Role, Readonly<Record<string, readonly number[]>>>>;
  /** By `threshold minFaces`; noise is -1. */
  readonly dbscan: Readonly<
    Record<Role, Readonly<Record<string, { readonly labels: readonly number[]; readonly cores: readonly number[] }>>>
  >;
}

export const goldenClusters = (): GoldenClusters => fixtureJson<GoldenClusters>('clusters/expected.json');

export const goldenFaces = ({ features, dimension }: GoldenClusters): FeatureSet => ({
  values: Float32Array.from(features),
  dimension,
});

/** @returns the same partition, numbered in the order of the first face of each cluster */
export function renumbered(labels: ArrayLike<number>): number[] {
  const known = new Map<number, number>();
  return Array.from(labels, (label) => {
    const number = known.get(label) ?? known.size;
    known.set(label, number);
    return number;
  });
}
