/**
 * `groupPeople` without a threshold to choose, beside average linkage, DBSCAN, Chinese whispers, HDBSCAN and the rule of immich,
 * each at its best settings by B-cubed F, found on the other half of the people: B-cubed F, wrong merges, people split, and the
 * expected number of wrong merges. immich's rule also runs with its own settings.
 *
 *     npx tsx -C magface:source bench/people.ts [FEATURES_FOLDER] [PYTHON]
 *
 * Faces are those of `bench/clusters.ts`, every second person. HDBSCAN is that of scikit-learn 1.3 or later, which PYTHON
 * (default python3) must have. Needs LFW, CelebA and CFP (`npm run data`); writes bench/results/people.json.
 */
import { defaultModels, groupPeople, MagFace, qualityScore } from 'magface';
import { clusterFaces } from '../packages/magface/src/eval/clusters/cluster-faces.ts';
import { measureClusters } from '../packages/magface/src/eval/clusters/cluster-measures.ts';
import { findNeighbours } from '../packages/magface/src/eval/clusters/neighbours.ts';
import { peopleOf } from '../packages/magface/src/eval/clusters/people-list.ts';
import { weightedRows } from '../packages/magface/src/eval/clusters/unit-rows.ts';
import { type FeatureSet, magnitudesOf, rowOf } from '../packages/magface/src/eval/feature-set.ts';
import { faults } from './support/cluster-faults.ts';
import { clusterSets, everySecond, featuresOf } from './support/cluster-sets.ts';
import { runHdbscan } from './support/hdbscan.ts';
import { type ImmichSettings, immichClusters } from './support/immich-rule.ts';
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

/** A method with settings to choose from. */
interface Peer {
  readonly method: string;
  readonly settings: readonly object[];
  /** @returns the clusters for each of some settings */
  readonly run: (features: FeatureSet, settings: readonly object[]) => readonly ArrayLike<number>[];
}

const ownPeers = (['ahc', 'dbscan', 'whispers'] as const).map(
  (method): Peer => ({
    method,
    settings: candidates.map((threshold) => ({ threshold })),
    run: (features, settings) => {
      const thresholds = (settings as readonly { threshold: number }[]).map(({ threshold }) => threshold);
      return clusterFaces(features, { method, thresholds }).map(({ clusters }) => clusters);
    },
  }),
);

const immich = (method: string, settings: readonly ImmichSettings[]): Peer => ({
  method,
  settings,
  run: (features, chosen) => {
    const graph = findNeighbours(weightedRows(features, undefined), Math.min(...settings.map(({ least }) => least)));
    return chosen.map((one) => immichClusters(graph, one as ImmichSettings));
  },
});

/** Clusters nearer than `epsilon` are not split. */
const densities = (sizes: readonly number[], min_samples: number, epsilons: readonly number[]): object[] =>
  sizes.flatMap((min_cluster_size) => [
    { min_cluster_size, min_samples, cluster_selection_method: 'eom' },
    { min_cluster_size, min_samples, cluster_selection_method: 'leaf' },
    ...epsilons.map((cluster_selection_epsilon) => ({ min_cluster_size, min_samples, cluster_selection_epsilon })),
  ]);

const hdbscan: Peer = {
  method: 'hdbscan',
  settings: [...densities([2, 3, 5, 8], 1, [0.3, 0.35, 0.4, 0.45, 0.5]), ...densities([2, 3], 2, [0.4, 0.5])],
  run: runHdbscan,
};

const peers: readonly Peer[] = [
  ...ownPeers,
  hdbscan,
  immich(
    'immich',
    candidates.flatMap((least) => [1, 2, 3, 4, 6, 8, 12, 16].map((minFaces) => ({ least, minFaces }))),
  ),
  immich('immich, its own settings', [{ least: 0.5, minFaces: 3 }]),
];

/** The settings of the best B-cubed F on some people, and the figures of others. */
function chosenOn({ method, settings, run }: Peer, tuning: FeatureSet, held: FeatureSet): Record<string, unknown> {
  const people = peopleOf(tuning.names!);
  const f = (clusters: ArrayLike<number>): number => measureClusters(clusters, people).bcubed.f ?? 0;
  const scores = settings.length === 1 ? [0] : run(tuning, settings).map(f);
  const best = settings[scores.indexOf(Math.max(...scores))]!;
  const [found] = run(held, [best]);
  return { method, ...best, ...figures(found!, peopleOf(held.names!)) };
}

const results = [];
for (const one of clusterSets) {
  const features = await featuresOf(one);
  const [tuning, held] = [everySecond(features, 0), everySecond(features, 1)];
  const own = grouped(held);
  results.push({
    ...{ set: one.set, faces: held.names!.length, truePeople: new Set(peopleOf(held.names!)).size },
    ...{ groupPeople: own, peers: peers.map((peer) => chosenOn(peer, tuning, held)) },
  });
  process.stderr.write(`${JSON.stringify(results.at(-1))}\n`);
}
writeResult('people', { model: defaultModels.recogniser, results });
