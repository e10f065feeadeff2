/**
 * Clusters real faces by the default model, without the magnitude, with it as a weight, and as the rule who may found a
 * cluster: LFW's people who are in no training list, CelebA's people (but the four who stand in LFW too), and CFP's people 1 to
 * 100 with profiles.
 *
 *     npx tsx -C magface:source bench/clusters.ts [FEATURES_FOLDER]
 *
 * Thresholds are chosen by B-cubed F on every second person of a set, and the figures are taken on the other people. The
 * folder may hold features of an earlier run, which are computed otherwise. Needs LFW, CelebA and CFP (`npm run data`); writes
 * bench/results/clusters.json. Takes half an hour on one core.
 */
import { type Clustering, clusterFaces, magnitudeRoles } from '../packages/magface/src/eval/clusters/cluster-faces.ts';
import { measureClusters } from '../packages/magface/src/eval/clusters/cluster-measures.ts';
import { peopleOf } from '../packages/magface/src/eval/clusters/people-list.ts';
import type { FeatureSet } from '../packages/magface/src/eval/feature-set.ts';
import { clusterSets, everySecond, featuresOf } from './support/cluster-sets.ts';
import { writeResult } from './support/result.ts';

const thresholds = Array.from({ length: 13 }, (_, i) => Number((0.15 + 0.05 * i).toFixed(2)));
const shares = [0.9, 0.75, 0.5];

/** Chooses threshold and share of founders on some people and measures them on others. */
function chosenOn(tuning: FeatureSet, held: FeatureSet) {
  const rounded = (value: number | null): number | null => (value === null ? null : Number(value.toFixed(4)));
  const [tuningPeople, heldPeople] = [peopleOf(tuning.names!), peopleOf(held.names!)];
  return (['ahc', 'dbscan', 'whispers', 'kmeans'] as const).flatMap((method) =>
    magnitudeRoles.map((magnitude) => {
      const started = performance.now();
      const settings = (magnitude === 'found' ? shares : [0.75]).map((founders) => ({ method, magnitude, founders }));
      const run = (
        features: FeatureSet,
        setting: (typeof settings)[number],
        cosines: readonly number[],
        people: Uint32Array,
      ) => clusterFaces(features, { ...setting, thresholds: cosines, clusters: new Set(people).size });
      // k-means has no threshold: without founders there is nothing to choose.
      const isGiven = method === 'kmeans' && settings.length === 1;
      const tried = (isGiven ? [] : settings).flatMap((setting) =>
        run(tuning, setting, thresholds, tuningPeople).map((found: Clustering) => ({
          setting,
          threshold: found.threshold,
          f: measureClusters(found.clusters, tuningPeople).bcubed.f ?? 0,
        })),
      );
      const given = { setting: settings[0]!, threshold: undefined, f: 0 };
      const best = tried.reduce<(typeof tried)[number]>((a, b) => (b.f > a.f ? b : a), given);
      const [found] = run(held, best.setting, best.threshold === undefined ? [] : [best.threshold], heldPeople);
      const { clusters, pairwise, bcubed, nmi } = measureClusters(found!.clusters, heldPeople);
      const row = {
        ...{ method, magnitude, threshold: best.threshold ?? null },
        ...(magnitude === 'found' && { founders: best.setting.founders }),
        clusters,
        pairwise: { precision: rounded(pairwise.precision), recall: rounded(pairwise.recall), f: rounded(pairwise.f) },
        bcubed: { precision: rounded(bcubed.precision), recall: rounded(bcubed.recall), f: rounded(bcubed.f) },
        nmi: rounded(nmi),
        seconds: Number(((performance.now() - started) / 1000).toFixed(1)),
      };
      process.stderr.write(`${JSON.stringify(row)}\n`);
      return row;
    }),
  );
}

const results = [];
for (const one of clusterSets) {
  const { set } = one;
  process.stderr.write(`${set}\n`);
  const features = await featuresOf(one);
  const [tuning, held] = [everySecond(features, 0), everySecond(features, 1)];
  results.push({
    set,
    tuning: { faces: tuning.names!.length, people: new Set(peopleOf(tuning.names!)).size },
    held: { faces: held.names!.length, people: new Set(peopleOf(held.names!)).size },
    rows: chosenOn(tuning, held),
  });
  // The larger sets take an hour: what is measured is kept.
  writeResult('clusters', { model: 'magface-small', chosenBy: 'B-cubed F on every second person', results });
}
