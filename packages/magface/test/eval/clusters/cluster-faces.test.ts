import { describe, expect, test } from 'vitest';
import { clusterFaces } from '../../../src/eval/clusters/cluster-faces.ts';
import { measureClusters } from '../../../src/eval/clusters/cluster-measures.ts';
import { densityClusters } from '../../../src/eval/clusters/density.ts';
import { foundersOf, joinFounders } from '../../../src/eval/clusters/founders.ts';
import { kMeans } from '../../../src/eval/clusters/k-means.ts';
import { averageLinkage, cutTree } from '../../../src/eval/clusters/linkage.ts';
import { atLeast, findNeighbours } from '../../../src/eval/clusters/neighbours.ts';
import { weightedRows } from '../../../src/eval/clusters/unit-rows.ts';
import { whisperClusters } from '../../../src/eval/clusters/whispers.ts';
import type { FeatureSet } from '../../../src/eval/feature-set.ts';
import { goldenClusters, goldenFaces, renumbered } from './golden-clusters.ts';

const golden = goldenClusters();
const features = goldenFaces(golden);
const rowsOf = (role: 'none' | 'weight') => weightedRows(features, role === 'weight' ? golden.magnitudes : undefined);
const roles = ['none', 'weight'] as const;

/** Faces in the plane, at these angles in degrees and of these lengths. */
const fan = (degrees: readonly number[], lengths: readonly number[] = degrees.map(() => 1)): FeatureSet => ({
  values: Float32Array.from(
    degrees.flatMap((angle, i) => [
      lengths[i]! * Math.cos((angle * Math.PI) / 180),
      lengths[i]! * Math.sin((angle * Math.PI) / 180),
    ]),
  ),
  dimension: 2,
});

describe.each(roles)("gives scikit-learn's clusters with the magnitude as %s", (role) => {
  test('k-means from given centres', () => {
    const found = kMeans(rowsOf(role), { clusters: 7, initial: golden.initial });
    expect(Array.from(found)).toEqual(golden.kmeans[role]);
  });

  test.each(Object.entries(golden.ahc[role]))('average linkage at cosine %s', (threshold, expected) => {
    const merges = averageLinkage(rowsOf(role), -1);
    expect(renumbered(cutTree(merges, expected.length, Number(threshold)))).toEqual(renumbered(expected));
    // Leaving out what is not alike enough changes nothing above.
    const fewer = averageLinkage(rowsOf(role), Number(threshold));
    expect(renumbered(cutTree(fewer, expected.length, Number(threshold)))).toEqual(renumbered(expected));
  });

  test.each(Object.entries(golden.dbscan[role]))('DBSCAN at cosine and faces %s', (setting, { labels, cores }) => {
    const [threshold, minFaces] = setting.split(' ').map(Number) as [number, number];
    const rows = rowsOf(role);
    const found = densityClusters(findNeighbours(rows, threshold), { weights: rows.weights, minFaces });
    const of = (faces: readonly number[], from: ArrayLike<number>): number[] => renumbered(faces.map((i) => from[i]!));
    expect(of(cores, found)).toEqual(of(cores, labels));
    const sizes = new Map<number, number>();
    for (const label of found) sizes.set(label, (sizes.get(label) ?? 0) + 1);
    labels.forEach((label, i) => {
      if (label === -1) expect(sizes.get(found[i]!)).toBe(1);
      else expect(cores.some((core) => found[core] === found[i])).toBe(true);
    });
  });
});

test('scikit-learn gives other clusters with weights, so the goldens tell them apart', () => {
  expect(golden.kmeans.none).not.toEqual(golden.kmeans.weight);
  expect(golden.ahc.none).not.toEqual(golden.ahc.weight);
  expect(golden.dbscan.none).not.toEqual(golden.dbscan.weight);
});

test('k-means++ gives the same for the same seed, uses every cluster and finds people that are far apart', () => {
  const rows = weightedRows(fan([0, 1, 2, 120, 121, 240, 241, 242]));
  const found = kMeans(rows, { clusters: 3, seed: 3 });
  expect(found).toEqual(kMeans(rows, { clusters: 3, seed: 3 }));
  expect(renumbered(found)).toEqual([0, 0, 0, 1, 1, 2, 2, 2]);
  expect(() => kMeans(rows, { clusters: 9 })).toThrow('Expected 1 to 8 clusters (at most one per face) but received 9');
});

test('a border face of DBSCAN joins the most alike core, whatever the order of the faces', () => {
  // With four faces around a core: the one at 19 is none, borders on both groups and is nearer to the second.
  const degrees = [0, 3, 6, 10, 19, 27, 30, 33, 35];
  const cut = Math.cos((9.5 * Math.PI) / 180);
  const found = (angles: readonly number[]): number[] => {
    const rows = weightedRows(fan(angles));
    return renumbered(densityClusters(findNeighbours(rows, cut), { weights: rows.weights, minFaces: 4 }));
  };
  expect(found(degrees)).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 1]);
  expect(found(degrees.toReversed())).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1]);
});

test('Chinese whispers joins what is connected by votes, and a heavy neighbour outvotes two light ones', () => {
  const rows = weightedRows(fan([0, 2, 4, 100, 102, 104]));
  const near = findNeighbours(rows, 0.9);
  expect(renumbered(whisperClusters(near, { weights: rows.weights }))).toEqual([0, 0, 0, 1, 1, 1]);
  // 2 - 0 - 1 in a row; face 0 hears a vote from each side, and goes with the heavier one.
  const line = {
    starts: Uint32Array.of(0, 2, 3, 4),
    faces: Uint32Array.of(1, 2, 0, 0),
    cosines: Float32Array.of(0.5, 0.6, 0.5, 0.6),
  };
  const first = (weights: number[]): boolean => {
    const labels = whisperClusters(line, { weights: Float64Array.from(weights), rounds: 1, seed: 2 });
    return labels[0] === labels[1];
  };
  expect([first([1, 5, 1]), first([1, 1, 5])]).toEqual([true, false]);
});

test('the graph at a higher cosine is that found there at once', () => {
  const rows = rowsOf('none');
  const [few, at] = [atLeast(findNeighbours(rows, 0.2), 0.6), findNeighbours(rows, 0.6)];
  expect(few.starts).toEqual(at.starts);
  expect(few.faces).toEqual(at.faces);
  expect(few.cosines.every((cosine) => cosine >= 0.6)).toBe(true);
});

test('only faces of high magnitude found clusters; the others join the most alike or stay alone', () => {
  const rows = weightedRows(fan([0, 3, 90, 93, 10, 60, 200]));
  const founders = foundersOf(Float64Array.of(9, 8, 7, 6, 1, 2, 3), 4 / 7);
  expect(founders).toEqual([0, 1, 2, 3]);
  const labels = Uint32Array.of(0, 0, 2, 2);
  expect(renumbered(joinFounders(rows, founders, { labels, threshold: 0.7 }))).toEqual([0, 0, 1, 1, 0, 1, 2]);
  expect(renumbered(joinFounders(rows, founders, { labels, threshold: 0.9 }))).toEqual([0, 0, 1, 1, 0, 2, 3]);
  expect(renumbered(joinFounders(rows, founders, { labels }))).toEqual([0, 0, 1, 1, 0, 1, 1]);
});

test('faces of low magnitude between two people no longer join them', () => {
  const between = fan([0, 2, 15, 30, 45, 58, 60], [9, 9, 1, 1, 1, 9, 9]);
  const options = { method: 'dbscan', thresholds: [Math.cos(0.28)] } as const;
  const people = [0, 0, 0, 1, 1, 1, 1];
  const f = (magnitude: 'none' | 'found'): number =>
    measureClusters(clusterFaces(between, { ...options, magnitude, founders: 4 / 7 })[0]!.clusters, people).pairwise
      .precision!;
  expect(f('none')).toBeLessThan(0.5);
  expect(f('found')).toBe(1);
});

test.each(['ahc', 'dbscan', 'whispers'] as const)('%s finds the people at rising thresholds, in any role', (method) => {
  for (const magnitude of ['none', 'weight', 'found'] as const) {
    const all = clusterFaces(features, { method, magnitude, thresholds: [0.6, 0.5], minFaces: 2 });
    expect(all.map(({ threshold }) => threshold)).toEqual([0.5, 0.6]);
    expect(measureClusters(all[1]!.clusters, golden.people).bcubed.f).toBeGreaterThan(0.6);
  }
});

test('refuses what it cannot know', () => {
  expect(() => clusterFaces(features, { method: 'ahc' })).toThrow('Expected thresholds (cosines above -1');
  expect(() => clusterFaces(features, { method: 'dbscan', thresholds: [1.5] })).toThrow('but received 1.5');
  expect(() => clusterFaces(features, { method: 'kmeans' })).toThrow('Expected the number of clusters for k-means');
  expect(() => clusterFaces(features, { method: 'ahc', thresholds: [0], founders: 0 })).toThrow('share of founders');
  expect(() => weightedRows(features, [1, 2])).toThrow('Expected 45 weights above 0 (one per face) but received 2');
});
