/**
 * A student with a teacher against the same student alone: a MobileFaceNet of a quarter of the width, from random weights, on LFW
 * and CelebA, tested on pairs of people in neither list. Both have the same budget, order of faces and start.
 *
 *     OMP_NUM_THREADS=1 MAGFACE_CORES=1 npx tsx -C magface:source bench/teacher.ts [FOLDER]
 *
 * The teacher is a MobileFaceNet that was trained on MS-Celeb-1M by ArcFace (models/foamliu_mobilefacenet.onnx). FOLDER (default
 * output/teacher) keeps its features and every run, so that an interrupted bench continues where it stopped: call it again.
 *
 * bench/results/teacher.json is written anew after each seed. The difference is paired: by people, who are drawn anew a thousand
 * times, and with several seeds by seed, too (bench/support/over-seeds.ts). Needs LFW, CelebA and the model.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compareModels, knownInterval } from '../packages/magface/src/eval/compare-models.ts';
import { loadPairs } from '../packages/magface/src/eval/load-pairs.ts';
import { measureModel } from '../packages/magface/src/eval/measure-model.ts';
import { listCheckpoints } from '../packages/magface/src/train/loop/checkpoint-file.ts';
import { researchFolder } from './support/data.ts';
import { lfwCeleba } from './support/lfw-celeba.ts';
import { meanOverSeeds } from './support/over-seeds.ts';
import { writeResult } from './support/result.ts';

const seeds = [1, 2] as const;
const recipe = {
  arch: 'mobilefacenet-quarter',
  'embedding-size': 128,
  loss: 'cosface',
  'batch-size': 32,
  epochs: 2,
  lr: 0.05,
  schedule: 'cosine',
  'warmup-epochs': 0.2,
} as const;
const taught = { 'teacher-weight': 50 } as const;

const project = fileURLToPath(new URL('../', import.meta.url));
const teacher = join(researchFolder('models/foamliu_mobilefacenet.onnx'), 'models/foamliu_mobilefacenet.onnx');
const output = resolve(process.argv[2] ?? join(project, 'output/teacher'));
mkdirSync(output, { recursive: true });
const { trainLists, pairs, testNames, testRoot } = lfwCeleba(output);
const testFaces = join(output, 'test-faces.list');
writeFileSync(testFaces, `${testNames.join('\n')}\n`);

const program = join(project, 'packages/magface/bin/magface.js');
const magface = (...words: readonly (string | number)[]): void => {
  execFileSync(process.execPath, [program, ...words.map(String)], { stdio: ['ignore', 'ignore', 'inherit'] });
};

type Student = 'alone' | 'taught';
const nameOf = (student: Student, seed: number): string => join(output, `${student}-${seed}`);

function embed(model: string, to: string): void {
  if (existsSync(to)) return;
  const part = join(output, 'part.npy');
  const words = ['--list', testFaces, '--root', testRoot, '--aligned', '--model', model, '--output', part];
  magface('embed', ...words, '--engine', 'onnx', '--threads', 1, '--workers', 1, '--quiet');
  renameSync(part.replace('.npy', '.names.txt'), to.replace('.npy', '.names.txt'));
  renameSync(part, to);
}

/** Trains a student, or the rest of the run, and embeds the test faces. */
function run(student: Student, seed: number): void {
  const [folder, features] = [nameOf(student, seed), `${nameOf(student, seed)}.npy`];
  if (existsSync(features)) return;
  const settings = Object.entries({ ...recipe, ...(student === 'taught' && taught) }).flatMap(([name, value]) => [`--${name}`, value]); // biome-ignore format: one list
  const teaching = student === 'taught' ? ['--teacher', teacher, '--teacher-cache', output] : [];
  const running = ['--resume', '--threads', 1, '--workers', 1, '--keep', 1];
  magface('train', '--train-list', ...trainLists, ...settings, ...teaching, '--seed', seed, '--output', folder, ...running); // biome-ignore format: one command
  magface('convert', listCheckpoints(folder)[0]!, `${folder}.onnx`, '--quiet');
  embed(`${folder}.onnx`, features);
}

async function measured(model: string, features: string) {
  const { figures } = measureModel(await loadPairs({ features, pairs }), model);
  return { model, figures };
}
type Measured = Awaited<ReturnType<typeof measured>>;

const tableOf = ({ figures }: Measured, runs: readonly Measured[]) =>
  Object.fromEntries(
    figures.map(({ name, value, draws }, i) => [
      name,
      { value, interval: knownInterval(draws), seeds: runs.map((one) => one.figures[i]!.value) },
    ]),
  );

const done: Record<Student, Measured[]> = { alone: [], taught: [] };
for (const seed of seeds) {
  for (const student of ['alone', 'taught'] as const) {
    run(student, seed);
    done[student].push(await measured(student, `${nameOf(student, seed)}.npy`));
  }
  const models = (['alone', 'taught'] as const).map((student) => meanOverSeeds(student, done[student]) as Measured);
  writeResult('teacher', {
    recipe: { ...recipe, sets: 'LFW and CelebA, without the four people of CelebA who are in LFW' },
    teacher: { model: 'arcface-mobilefacenet', ...taught },
    test: 'LFW: 4,000 pairs of people who are in no training list',
    seeds: seeds.slice(0, done.alone.length),
    alone: tableOf(models[0]!, done.alone),
    taught: tableOf(models[1]!, done.taught),
    differences: compareModels(models),
  });
}
