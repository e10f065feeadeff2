/**
 * `groupPeople` without a threshold to choose, beside average linkage, DBSCAN and Chinese whispers, each at its best of 13
 * thresholds, found on the other half of the people: B-cubed F, wrong merges, people split, and the expected number of wrong merges.
 *
 *     npx tsx -C magface:source bench/people.ts [FEATURES_FOLDER]
 *
 * Faces are those of `bench/clusters.ts`, every second person. Needs LFW, CelebA and CFP (`npm run data`); writes
 * bench/results/people.json.
 */
import { defaultModels, groupPeople, MagFace, qualityScore } from 'magface';
import { clusterFaces } from '../packages/magface/src/eval/clusters/cluster-faces.ts';
import { measureClusters } from '../packages/magface/src/eval/clusters/cluster-measures.ts';
import { peopleOf } from '../packages/magface/src/eval/clusters/people-list.ts';
import { type FeatureSet, magnitudesOf, rowOf } from '../packages/magface/src/eval/feature-set.ts';
import { faults } from './support/cluster-faults.ts';
import { clusterSets, everySecond, featuresOf } from './support/cluster-sets.ts';
import { writeResult } from './support/result.ts';

await using magface = await MagFace.load({ detector: false });
const { calibration, thresholds, likelihood } = magface.model.contract;

function figures(clusters: ArrayLike<number>, people: ArrayLike<number>): Record<string, unknown> {
  const { clusters: count, bcubed, pairwise } = measureClusters(clusters, people);
  const digits = (value: number | null): number | null => (value === null ? null : Number(value.toFixed(4)));
  const { precision, recall, f } = bcubed;
  return {
    clusters: count,
    bcubed: { precision: digits(precision), recall: digits(recall), f: digits(f) },
    pairwiseF: digits(pairwise.f),
    ...faults(clusters, people),
  };
}

/** Unplaced faces are clusters of their own. */
function grouped(features: FeatureSet): Record<string, unknown> {
  const magnitudes = magnitudesOf(features);
  const faces = features.names!.map((id, i) => ({
    id,
    photo: id,
    embedding: rowOf(features, i),
    quality: qualityScore(magnitudes[i]!, calibration!),
  }));
  const started = process.cpuUsage();
  const found = groupPeople(faces, { thresholds, likelihood });
  const seconds = process.cpuUsage(started).user / 1e6;
  const clusters = Array.from(faces.keys(), (i) => found.people.length + i);
  for (const [k, person] of found.people.entries()) for (const i of person.faces) clusters[i] = k;
  const { threshold, fmr, comparisons, expectedWrongMerges, unplaced } = found;
  return {
    ...figures(clusters, peopleOf(features.names!)),
    ...{ people: found.people.length, unplaced: unplaced.length, threshold, fmr, comparisons },
    expectedWrongMerges: Number(expectedWrongMerges.toFixed(2)),
    processorSeconds: Number(seconds.toFixed(1)),
  };
}

const candidates = Array.from({ length: 13 }, (_, i) => Number((0.15 + 0.05 * i).toFixed(2)));

/** The threshold of the best B-cubed F on some people, and the figures of others. */
function peer(method: 'ahc' | 'dbscan' | 'whispers', tuning: FeatureSet, held: FeatureSet): Record<string, unknown> {
  const people = peopleOf(tuning.names!);
  const tried = clusterFaces(tuning, { method, thresholds: candidates });
  const f = (clusters: ArrayLike<number>): number => measureClusters(clusters, people).bcubed.f ?? 0;
  const best = tried.reduce((a, b) => (f(b.clusters) > f(a.clusters) ? b : a));
  const [found] = clusterFaces(held, { method, thresholds: [best.threshold!] });
  return { method, threshold: best.threshold, ...figures(found!.clusters, peopleOf(held.names!)) };
}

const results = [];
for (const one of clusterSets) {
  const features = await featuresOf(one);
  const [tuning, held] = [everySecond(features, 0), everySecond(features, 1)];
  const own = grouped(held);
  const peers = (['ahc', 'dbscan', 'whispers'] as const).map((method) => peer(method, tuning, held));
  results.push({
    ...{ set: one.set, faces: held.names!.length, truePeople: new Set(peopleOf(held.names!)).size },
    ...{ groupPeople: own, peers },
  });
  process.stderr.write(`${JSON.stringify(results.at(-1))}\n`);
}
writeResult('people', { model: defaultModels.recogniser, results });
