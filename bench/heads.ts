/**
 * The losses side by side on real faces: one MobileFaceNet of a quarter of the width, from scratch on LFW and CelebA, with
 * one budget and one schedule for all, tested on pairs of people in neither list.
 *
 *     OMP_NUM_THREADS=1 MAGFACE_CORES=1 npx tsx -C magface:source bench/heads.ts [FOLDER]
 *
 * FOLDER (default output/heads) keeps every run, so that an interrupted bench continues where it stopped: call it again.
 * All losses of one seed come before the next seed. Every loss has the constants of its paper. Needs LFW and CelebA.
 *
 * bench/results/heads.json is written anew after each run. A figure is the mean over the seeds that every loss has
 * finished, each of which is listed, too. Its 95 % interval resamples the people of the test, with the networks as they
 * are: how much another seed would change, the listed values tell. The leads of the best loss over the others are paired on
 * the same draws of people, and their intervals hold for all pairs of losses together.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ComparedModel, compareModels, knownInterval } from '../packages/magface/src/eval/compare-models.ts';
import { loadPairs } from '../packages/magface/src/eval/load-pairs.ts';
import { measureModel } from '../packages/magface/src/eval/measure-model.ts';
import { errorVersusReject } from '../packages/magface/src/eval/reject.ts';
import { listCheckpoints } from '../packages/magface/src/train/loop/checkpoint-file.ts';
import { researchFolder } from './support/data.ts';
import { writeResult } from './support/result.ts';

const losses = ['magface', 'arcface', 'cosface', 'adaface', 'elasticface-arc', 'curricularface'] as const;
const seeds = [1, 2, 3] as const;
const recipe = {
  arch: 'mobilefacenet-quarter',
  'embedding-size': 128,
  'batch-size': 32,
  epochs: 2,
  lr: 0.05,
  schedule: 'cosine',
  'warmup-epochs': 0.2,
} as const;
const fmr = 0.01;
const rejectRates = [0, 0.1, 0.2, 0.3];

const project = fileURLToPath(new URL('../', import.meta.url));
const faces = join(researchFolder('faces/lfw', 'faces/celeba'), 'faces');
const output = resolve(process.argv[2] ?? join(project, 'output/heads'));
mkdirSync(output, { recursive: true });

const program = join(project, 'packages/magface/bin/magface.js');
const magface = (...words: readonly (string | number)[]): void => {
  execFileSync(process.execPath, [program, ...words.map(String)], { stdio: ['ignore', 'ignore', 'inherit'] });
};

/** CelebA people who are also in LFW, where the test is. */
const alsoInLfw = new Set(['7218', '7261', '7355', '7398']);

/** Writes the official list of a set, with people numbered from 0. @returns its path */
function trainList(set: 'lfw' | 'celeba'): string {
  const people = new Map<string, number>();
  const lines = readFileSync(join(faces, set, 'train.list'), 'utf8')
    .trim()
    .split('\n');
  const kept = lines.flatMap((line) => {
    const path = line.split(' ')[0]!;
    const person = path.split('/').at(-2)!;
    if (set === 'celeba' && alsoInLfw.has(person)) return [];
    const id = people.get(person) ?? people.size;
    people.set(person, id);
    return [`${join(faces, set, path)} 0 ${id} 0\n`];
  });
  const list = join(output, `${set}.list`);
  writeFileSync(list, kept.join(''));
  return list;
}

const pairs = join(faces, 'lfw/test_pairs.list');
const testFaces = join(output, 'test-faces.list');
const listed = readFileSync(pairs, 'utf8').trim().split('\n');
const names = listed.flatMap((line) => line.split(' ').slice(0, 2));
writeFileSync(testFaces, `${[...new Set(names)].join('\n')}\n`);
const lists = [trainList('lfw'), trainList('celeba')];

type Loss = (typeof losses)[number];
const featuresOf = (loss: Loss, seed: number): string => join(output, `${loss}-${seed}.npy`);

/** Trains one run, or the rest of it, and embeds the test faces. */
function run(loss: Loss, seed: number): void {
  const folder = join(output, `${loss}-${seed}`);
  const settings = Object.entries(recipe).flatMap(([name, value]) => [`--${name}`, value]);
  const running = ['--resume', '--threads', 1, '--workers', 1, '--keep', 1, '--quiet'];
  magface('train', '--train-list', ...lists, ...settings, '--loss', loss, '--seed', seed, '--output', folder, ...running); // biome-ignore format: one command
  const model = join(output, `${loss}-${seed}.onnx`);
  magface('convert', listCheckpoints(folder)[0]!, model, '--quiet');
  const part = join(output, 'embedding.npy');
  magface('embed', '--list', testFaces, '--root', join(faces, 'lfw'), '--aligned', '--model', model, '--output', part, '--engine', 'onnx', '--threads', 1, '--workers', 1, '--quiet'); // biome-ignore format: one command
  renameSync(part.replace('.npy', '.names.txt'), featuresOf(loss, seed).replace('.npy', '.names.txt'));
  renameSync(part, featuresOf(loss, seed));
}

/** One run's figures, with their values on draws of people, and its curve by the lower magnitude of a pair. */
async function measured(loss: Loss, seed: number) {
  const loaded = await loadPairs({ features: featuresOf(loss, seed), pairs });
  const reject = { fmr, threshold: 'fixed', rejectRates } as const;
  const { figures } = measureModel(loaded, loss, { reject });
  const { fnmr } = errorVersusReject(loaded.similarities, loaded.same, loaded.quality, reject);
  return { figures, fnmr: fnmr.map(Number) };
}
type Measured = Awaited<ReturnType<typeof measured>>;

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The mean over seeds, on the pairs and on each draw. */
function meanModel(model: Loss, runs: readonly Measured[]): ComparedModel {
  const figures = runs[0]!.figures.map(({ name, draws }, i) => ({
    name,
    value: mean(runs.map((one) => Number(one.figures[i]!.value))),
    draws: draws.map((_, draw) => mean(runs.map((one) => one.figures[i]!.draws[draw]!))),
  }));
  return { model, figures };
}

const known = new Map<string, Measured>();

/** Writes the table of the seeds that every loss has finished. */
async function writeTable(): Promise<void> {
  const done = seeds.filter((seed) => losses.every((loss) => existsSync(featuresOf(loss, seed))));
  if (done.length === 0) return;
  const models: ComparedModel[] = [];
  const table: Record<string, unknown> = {};
  for (const loss of losses) {
    for (const seed of done) known.set(`${loss} ${seed}`, known.get(`${loss} ${seed}`) ?? (await measured(loss, seed)));
    const runs = done.map((seed) => known.get(`${loss} ${seed}`)!);
    const model = meanModel(loss, runs);
    models.push(model);
    const rows = model.figures.map(({ name, value, draws }, i) => {
      const row = { value, interval: knownInterval(draws), seeds: runs.map((one) => one.figures[i]!.value) };
      return [name, row] as const;
    });
    const fnmr = rejectRates.map((_, i) => mean(runs.map((one) => one.fnmr[i]!)));
    table[loss] = { ...Object.fromEntries(rows), fnmrByRejectRate: fnmr };
  }
  writeResult('heads', {
    recipe: { ...recipe, sets: 'LFW and CelebA, without the four people of CelebA who are in LFW' },
    test: 'LFW: 4,000 pairs of people who are in no training list; FNMR at FMR 1e-2, threshold fixed',
    seeds: done,
    rejectRates,
    losses: table,
    leads: compareModels(models),
  });
}

for (const seed of seeds) {
  for (const loss of losses) {
    if (existsSync(featuresOf(loss, seed))) continue;
    run(loss, seed);
    await writeTable();
  }
}
await writeTable();
