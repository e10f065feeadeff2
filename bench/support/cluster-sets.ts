/** Real faces of known people, and their features: shared by the benchmarks of grouping. */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MagFace } from 'magface';
import { peopleOf } from '../../packages/magface/src/eval/clusters/people-list.ts';
import type { FeatureSet } from '../../packages/magface/src/eval/feature-set.ts';
import { readFeatureFile } from '../../packages/magface/src/format/feature-reader.ts';
import { createFeatureWriter } from '../../packages/magface/src/format/feature-writer.ts';
import { alsoInLfw, researchFolder } from './data.ts';

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

export interface ClusterSet {
  readonly set: string;
  /** Name of its features in the folder. */
  readonly file: string;
  readonly names: readonly string[];
  readonly aligned: boolean;
}

/** Reads features of an earlier run from the folder that the command line names, or computes them. */
export async function featuresOf({ file: set, names, aligned }: ClusterSet): Promise<FeatureSet> {
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
export function everySecond({ values, dimension, names }: FeatureSet, odd: 0 | 1): FeatureSet {
  const people = peopleOf(names!);
  const rows = Array.from(people.keys()).filter((row) => people[row]! % 2 === odd);
  const chosen = new Float32Array(rows.length * dimension);
  rows.forEach((row, i) => {
    chosen.set(values.subarray(row * dimension, (row + 1) * dimension), i * dimension);
  });
  return { values: chosen, dimension, names: rows.map((row) => names![row]!) };
}

export const clusterSets: readonly ClusterSet[] = [
  { set: 'CFP, people 1 to 100, frontal and profile', file: 'cfp', names: cfpNames(), aligned: false },
  { set: 'LFW, people in no training list', file: 'lfw', names: lfwNames(), aligned: true },
  { set: 'CelebA, people who are not in LFW', file: 'celeba', names: celebaNames(), aligned: true },
];
