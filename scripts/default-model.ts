/**
 * Reproduces the package's default model from scratch, bit for bit:
 *
 *     npm run model:default -- [FACES] [OUTPUT] [--record] [--ship]
 *
 * FACES (default ../shared/faces) has LFW and CelebA as aligned faces with their lists, and CFP. `npm run data` prepares them from your
 * downloads, with its own lists; the recipe then gives a different model. OUTPUT (default output/default-model) gets the
 * lists, the run, and `magface-small.onnx` with its thresholds, scale (`scripts/model-scale.ts`, which also needs CFP) and likelihood
 * ratios (`scripts/likelihood.ts`). At the end the script says whether that equals the included file; `--record` writes the result to
 * bench/results/default-model-repeat.json, and `--ship` includes the file that was made. `npx tsx bench/default-model.ts` evaluates it.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { alsoInLfw, researchFolder } from '../bench/support/data.ts';
import { writeResult } from '../bench/support/result.ts';
import { weightsDigest, withMetadata } from '../packages/magface/src/graph/onnx/file.ts';
import { loadModel } from '../packages/magface/src/models/load-model.ts';
import { randomStream } from '../packages/magface/src/random.ts';
import { updateRegistry } from './model-scale/rewrite-record.ts';

const project = fileURLToPath(new URL('../', import.meta.url));
const [
  faces = join(researchFolder('faces/lfw', 'faces/celeba'), 'faces'),
  output = join(project, 'output/default-model'),
] = process.argv
  .slice(2)
  .filter((word) => !word.startsWith('--'))
  .map((path) => resolve(path));

interface Listed {
  readonly path: string;
  readonly person: string;
}

function readLines(file: string): string[] {
  return readFileSync(file, 'utf8').trim().split('\n');
}

/** Absolute paths of a training list's images, without people of the test set, LFW. */
function listed(set: string): Listed[] {
  return readLines(join(faces, set, 'train.list')).flatMap((line) => {
    const path = line.split(' ')[0]!;
    const person = path.split('/').at(-2)!;
    return set === 'celeba' && alsoInLfw.has(person) ? [] : [{ path: join(faces, set, path), person }];
  });
}

/** The official list: `imgname 0 id 0`, with people renumbered from 0. */
function writeTrainList(set: string): string {
  const people = new Map<string, number>();
  const lines = listed(set).map(({ path, person }) => {
    if (!people.has(person)) people.set(person, people.size);
    return `${path} 0 ${people.get(person)} 0`;
  });
  writeFileSync(join(output, `${set}.list`), `${lines.join('\n')}\n`);
  return `${set}.list`;
}

/** Faces of people that were not in training: the list's pairs, and random strangers for small error rates. */
function writeTestLists(strangers: number): void {
  const lines = readLines(join(faces, 'lfw/test_pairs.list'));
  const given = lines.map((line) => line.split(' '));
  const names = [...new Set(given.flatMap(([a, b]) => [a!, b!]))].sort();
  const pathOf = (name: string): string => join(faces, 'lfw', name);
  writeFileSync(join(output, 'lfw-test-faces.list'), `${names.map(pathOf).join('\n')}\n`);
  const random = randomStream(1);
  const any = (): string => names[Math.floor(random() * names.length)]!;
  const personOf = (name: string): string => name.split('/').at(-2)!;
  const pairs = given.map(([a, b, same]) => `${pathOf(a!)} ${pathOf(b!)} ${same}`);
  while (pairs.length < given.length + strangers) {
    const [a, b] = [any(), any()];
    if (personOf(a) !== personOf(b)) pairs.push(`${pathOf(a)} ${pathOf(b)} 0`);
  }
  writeFileSync(join(output, 'lfw-test-pairs.list'), `${pairs.join('\n')}\n`);
}

function magface(...args: string[]): void {
  process.stderr.write(`magface ${args.join(' ')}\n`);
  const cli = join(project, 'packages/magface/dist/cli/main.js');
  execFileSync(process.execPath, [cli, ...args], { cwd: output, stdio: 'inherit' });
}

/** The directions are the mean of these runs and of the initial model, by these shares: docs/model-card.md. */
const seeds = [1, 2, 3];
const [runShare, startShare] = [0.28, 0.16];

/** Origin of the weights, and its consequences for users. */
const licence = {
  spdx: 'MIT AND LicenseRef-research-data',
  notice:
    'Derived from fr_feature of faceplugin-face-recognition-js 0.0.1 (MIT by its package, training data undocumented) and finetuned on LFW and CelebA, which are research data; CelebA is for non-commercial research. See docs/model-card.md.',
};

/** Adds licence and the digest of the weights to the file's contract. */
function sign(file: string): void {
  const bytes = readFileSync(file);
  const fields = { licence, arch: 'MobileFaceNet', weightsDigest: weightsDigest(bytes, file) };
  const entries = Object.entries(fields).map(([field, value]) => [`magface.${field}`, JSON.stringify(value)] as const);
  writeFileSync(file, withMetadata(bytes, new Map(entries), file));
}

const digestOf = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

const started = performance.now();
const isFromScratch = !existsSync(output);
mkdirSync(output, { recursive: true });
const lists = ['lfw', 'celeba'].map(writeTrainList);
writeTestLists(100_000);
const config = join(project, 'configs/default-model.yaml');
const files = seeds.map((seed) => {
  const run = `run-${seed}`;
  magface('train', '--config', config, '--train-list', ...lists, '--seed', `${seed}`, '--output', run);
  return `${run}/model.onnx`;
});
const shares = [...files.map(() => runShare), startShare].map(String);
magface('average', ...files, 'fr-feature', '--shares', ...shares, '--output', 'mean.onnx');
magface('fit-quality', '--model', 'mean.onnx', '--train-list', ...lists, '--output', 'branched.onnx');
const scale = ['--faces', 'lfw-test-faces.list', '--pairs', 'lfw-test-pairs.list', '--aligned'];
magface('calibrate', '--model', 'branched.onnx', ...scale, '--output', 'magface-small.onnx');
const small = join(output, 'magface-small.onnx');
execFileSync('npm', ['run', '--silent', 'model:scale', '--', small, faces], { cwd: project, stdio: 'inherit' });
sign(small);
execFileSync('npm', ['run', '--silent', 'model:likelihood', '--', small, faces], { cwd: project, stdio: 'inherit' });

const made = digestOf(small);
const included = join(project, 'packages/magface/models/magface-small.onnx');
const shipped = digestOf(included);
const seconds = Math.round((performance.now() - started) / 1000);
const verdict =
  made === shipped ? 'the shipped file, byte for byte' : `not the shipped file, whose digest is ${shipped}`;
process.stderr.write(
  `Made in ${seconds} s, ${isFromScratch ? 'from scratch' : 'with what was there'}: ${made}, ${verdict}.\n`,
);
if (process.argv.includes('--record')) {
  writeResult('default-model-repeat', { isFromScratch, seconds, made, shipped, isSame: made === shipped });
}
if (process.argv.includes('--ship')) {
  copyFileSync(small, included);
  const { contract } = await loadModel<'recogniser'>(small, { kind: 'recogniser' });
  updateRegistry(join(project, 'packages/magface/models.json'), readFileSync(small), contract);
}
