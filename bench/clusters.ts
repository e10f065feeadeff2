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
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MagFace } from 'magface';
import { type Clustering, clusterFaces, magnitudeRoles } from '../packages/magface/src/eval/clusters/cluster-faces.ts';
import { measureClusters } from '../packages/magface/src/eval/clusters/cluster-measures.ts';
import { peopleOf } from '../packages/magface/src/eval/clusters/people-list.ts';
import type { FeatureSet } from '../packages/magface/src/eval/feature-set.ts';
import { readFeatureFile } from '../packages/magface/src/format/feature-reader.ts';
import { createFeatureWriter } from '../packages/magface/src/format/feature-writer.ts';
import { researchFolder } from './support/data.ts';
import { writeResult } from './support/result.ts';

const faces = `${researchFolder('faces/lfw', 'faces/celeba', 'faces/cfp-dev')}faces/`;
const folder = process.argv[2];

/** People of LFW's test pairs who are not in the list for training. */
function lfwNames(): string[] {
  const namesIn = (list: string, columns: number): string[] =>
    readFileSync(`${faces}lfw/${list}`, 'utf8')
      .trim()
      .split('\n')
      .flatMap((line) =>
        line
          .split(/\s+/)
          .slice(0, columns)
          .map((path) => path.split('/')[1]!),
      );
  const trained = new Set(namesIn('train.list', 1));
  const tested = [...new Set(namesIn('test_pairs.list', 2))].filter((person) => !trained.has(person)).sort();
  return tested.flatMap((person) => images(`lfw/aligned/${person}`));
}

const alsoInLfw = new Set(['7218', '7261', '7355', '7398']);

const celebaNames = (): string[] =>
  readdirSync(`${faces}celeba/aligned`)
    .filter((person) => !alsoInLfw.has(person))
    .sort()
    .flatMap((person) => images(`celeba/aligned/${person}`));

const cfpNames = (): string[] =>
  readdirSync(`${faces}cfp-dev`)
    .filter((person) => /^\d+$/.test(person))
    .sort()
    .flatMap((person) => ['frontal', 'profile'].flatMap((view) => images(`cfp-dev/${person}/${view}`)));

const images = (path: string): string[] =>
  readdirSync(faces + path)
    .sort()
    .map((file) => `${path}/${file}`);

async function featuresOf(set: string, names: readonly string[], aligned: boolean): Promise<FeatureSet> {
  const file = folder === undefined ? undefined : join(folder, `${set}.npy`);
  if (file !== undefined && existsSync(file)) return readFeatureFile(file);
  await using magface = await MagFace.load(aligned ? { detector: false } : {});
  const dimension = magface.model.contract.embeddingLength;
  const values = new Float32Array(names.length * dimension);
  for await (const { index, faces: found, error } of magface.stream(
    names.map((name) => faces + name),
    { aligned },
  )) {
    if (error !== undefined) throw error;
    if (found[0] === undefined) throw new Error(`Expected a face in ${names[index]} but found none.`);
    values.set(found[0].embedding, index * dimension);
  }
  if (file !== undefined) {
    mkdirSync(folder!, { recursive: true });
    const writer = await createFeatureWriter(file, { dimension });
    for (const [i, name] of names.entries())
      await writer.write(name, values.subarray(i * dimension, (i + 1) * dimension));
    await writer.close(file);
  }
  return { values, dimension, names };
}

/** The faces of every second person: the even or the odd ones. */
function half({ values, dimension, names }: FeatureSet, people: Uint32Array, odd: 0 | 1): FeatureSet {
  const rows = Array.from(people.keys()).filter((row) => people[row]! % 2 === odd);
  const chosen = new Float32Array(rows.length * dimension);
  rows.forEach((row, i) => {
    chosen.set(values.subarray(row * dimension, (row + 1) * dimension), i * dimension);
  });
  return { values: chosen, dimension, names: rows.map((row) => names![row]!) };
}

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

const sets = [
  { set: 'CFP, people 1 to 100, frontal and profile', file: 'cfp', names: cfpNames(), aligned: false },
  { set: 'LFW, people in no training list', file: 'lfw', names: lfwNames(), aligned: true },
  { set: 'CelebA, people who are not in LFW', file: 'celeba', names: celebaNames(), aligned: true },
];
const results = [];
for (const { set, file, names, aligned } of sets) {
  process.stderr.write(`${set}\n`);
  const features = await featuresOf(file, names, aligned);
  const people = peopleOf(features.names!);
  const [tuning, held] = [half(features, people, 0), half(features, people, 1)];
  results.push({
    set,
    tuning: { faces: tuning.names!.length, people: new Set(peopleOf(tuning.names!)).size },
    held: { faces: held.names!.length, people: new Set(peopleOf(held.names!)).size },
    rows: chosenOn(tuning, held),
  });
}
writeResult('clusters', { model: 'magface-small', chosenBy: 'B-cubed F on every second person', results });
