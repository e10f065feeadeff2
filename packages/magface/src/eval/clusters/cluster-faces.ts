/** Clusters faces by four algorithms, at several thresholds, with and without the magnitude. */
import { ConfigError } from '../../errors.ts';
import { type FeatureSet, magnitudesOf } from '../feature-set.ts';
import { densityClusters } from './density.ts';
import { foundersOf, joinFounders } from './founders.ts';
import { kMeans } from './k-means.ts';
import { averageLinkage, cutTree } from './linkage.ts';
import { atLeast, findNeighbours } from './neighbours.ts';
import { countOf, pickRows, type WeightedRows, weightedRows } from './unit-rows.ts';
import { whisperClusters } from './whispers.ts';

/** The algorithms: k-means, agglomerative clustering by average linkage, DBSCAN and Chinese whispers. */
export const clusterMethods = ['kmeans', 'ahc', 'dbscan', 'whispers'] as const;

/** One of {@link clusterMethods}. */
export type ClusterMethod = (typeof clusterMethods)[number];

/**
 * What the magnitude does. `none`: nothing. `weight`: it weighs a face in means, sums and votes. `found`: only faces of high
 * magnitude may found a cluster, the others join one or stay alone.
 */
export const magnitudeRoles = ['none', 'weight', 'found'] as const;

/** One of {@link magnitudeRoles}. */
export type MagnitudeRole = (typeof magnitudeRoles)[number];

/** Options of clustering. */
export interface ClusterOptions {
  readonly method: ClusterMethod;
  /** @default 'none' */
  readonly magnitude?: MagnitudeRole;
  /** Cosines from which faces (AHC: clusters, on average) belong together; k-means has none. */
  readonly thresholds?: readonly number[];
  /** k of k-means. */
  readonly clusters?: number;
  /** Share of the faces that may found a cluster, in (0, 1]. @default 0.75 */
  readonly founders?: number;
  /** Faces around a core of DBSCAN, its own included. @default 2 */
  readonly minFaces?: number;
  /** Seed of k-means and Chinese whispers. @default 1 */
  readonly seed?: number;
}

/** A partition of N faces. */
export interface Clustering {
  /** Absent for k-means. */
  readonly threshold?: number;
  /** (N) the cluster of each face; the numbers mean nothing else. */
  readonly clusters: Uint32Array;
}

/**
 * Clusters faces by the cosines of their features.
 *
 * @param features - (N, D), not normalized
 * @returns one clustering per threshold, rising; a single one for k-means
 * @throws {ConfigError} without thresholds, or for k-means without the number of clusters
 *
 * @example
 * ```ts
 * import { clusterFaces, measureClusters, peopleOf } from 'magface/eval';
 * import { readFeatureFile } from 'magface/formats';
 *
 * const features = await readFeatureFile('features.list');
 * for (const { threshold, clusters } of clusterFaces(features, { method: 'ahc', thresholds: [0.3, 0.4] }))
 *   console.log(threshold, measureClusters(clusters, peopleOf(features.names ?? [])).bcubed.f);
 * ```
 */
export function clusterFaces(features: FeatureSet, options: ClusterOptions): Clustering[] {
  const { magnitude = 'none', founders: share = 0.75 } = options;
  if (!(share > 0 && share <= 1))
    throw new ConfigError('founders', {
      expected: 'a share of founders above 0 and at most 1',
      received: share,
      remedy: 'use 0.75, for example',
    });
  const magnitudes = magnitudesOf(features);
  const rows = weightedRows(features, magnitude === 'weight' ? magnitudes : undefined);
  if (magnitude !== 'found') return partition(rows, options);
  const founders = foundersOf(magnitudes, share);
  const atMost = options.clusters === undefined ? {} : { clusters: Math.min(options.clusters, founders.length) };
  return partition(pickRows(rows, founders), { ...options, ...atMost }).map(({ threshold, clusters }) => ({
    ...(threshold !== undefined && { threshold }),
    clusters: joinFounders(rows, founders, { labels: clusters, threshold }),
  }));
}

function partition(rows: WeightedRows, options: ClusterOptions): Clustering[] {
  const { method, clusters, minFaces = 2, seed = 1 } = options;
  if (method === 'kmeans') {
    if (clusters === undefined)
      throw new ConfigError('clusters', {
        expected: 'the number of clusters for k-means',
        problem: 'there is none',
        remedy: 'pass it, because k-means cannot find it itself',
      });
    return [{ clusters: kMeans(rows, { clusters, seed }) }];
  }
  const thresholds = [...(options.thresholds ?? [])].sort((a, b) => a - b);
  if (thresholds.length === 0 || thresholds.some((threshold) => !(threshold > -1 && threshold <= 1)))
    throw new ConfigError('thresholds', {
      expected: 'thresholds (cosines above -1 and at most 1)',
      received: thresholds.length === 0 ? 'none' : thresholds.join(', '),
      remedy: 'use 0.3, for example',
    });
  if (method === 'ahc') {
    const merges = averageLinkage(rows, thresholds[0]!);
    return thresholds.map((threshold) => ({ threshold, clusters: cutTree(merges, countOf(rows), threshold) }));
  }
  const all = findNeighbours(rows, thresholds[0]!);
  return thresholds.map((threshold) => {
    const graph = atLeast(all, threshold);
    const { weights } = rows;
    const found =
      method === 'dbscan' ? densityClusters(graph, { weights, minFaces }) : whisperClusters(graph, { weights, seed });
    return { threshold, clusters: found };
  });
}
