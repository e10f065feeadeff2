/** The command on features of known people, on a folder of images, and on IJB-B's lists by their layout. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tinyOnnx, tinyRecord } from '../../support/tiny-onnx.ts';
import { runIn } from './evaluate-run.ts';

const root = mkdtempSync(join(tmpdir(), 'clusters '));
afterAll(() => rmSync(root, { recursive: true }));

/** Two people of two faces each, and one of a single face, at these angles. */
const people = ['Anna', 'Anna', 'Bo', 'Bo', 'Cy'];
const angles = [0, 10, 90, 95, 180];
const vector = (i: number): string =>
  [Math.cos, Math.sin].map((of) => ((i + 1) * of((angles[i]! * Math.PI) / 180)).toFixed(6)).join(' ');

beforeAll(() => {
  const named = people.map((person, i) => `faces/${person}/${i}.jpg ${vector(i)}\n`);
  writeFileSync(join(root, 'f.list'), named.join(''));
  writeFileSync(join(root, 'plain.list'), people.map((_, i) => `${i}.jpg ${vector(i)}\n`).join(''));
  writeFileSync(join(root, 'people.txt'), people.map((person, i) => `${i}.jpg ${person}\n`).join(''));
});

interface Row {
  readonly method: string;
  readonly magnitude: string;
  readonly threshold: number | null;
  readonly clusters: number;
  readonly pairwise: { readonly precision: number | null; readonly f: number | null };
  readonly bcubed: { readonly f: number };
  readonly best: boolean;
}

const run = (...words: string[]) => runIn(root, 'evaluate', 'clusters', ...words);
const record = async (...words: string[]) => {
  const { out, notes } = await run(...words, '--json', '-q');
  expect(notes).toBe('');
  return JSON.parse(out) as { faces: number; people: number; clusters: number; results: Row[] };
};

test('every algorithm finds people that are far apart, in every role of the magnitude', async () => {
  const {
    faces,
    people: number,
    results,
  } = await record('--features', 'f.list', '--thresholds', '0.9', '--founders', '1', '--min-faces', '1');
  expect([faces, number]).toEqual([5, 3]);
  expect(results.map(({ method, magnitude }) => `${method} ${magnitude}`)).toHaveLength(12);
  for (const row of results) expect(row, row.method).toMatchObject({ clusters: 3, bcubed: { f: 1 }, best: true });
});

test('the table has the best threshold of each row and says so; CSV has all', async () => {
  const words = ['--features', 'f.list', '--methods', 'ahc', '--magnitude', 'none', '--thresholds', '0.9,-0.5'];
  const { out, notes } = await run(...words);
  expect(notes).toBe('Clustering 5 faces by ahc, none …\n');
  const lines = out.split('\n');
  expect(lines[0]).toBe('f.list: 5 faces of 3 people');
  expect(lines[3]).toBe('ahc      none        0.90        3 1.000 1.000 1.000 1.000 1.000 1.000 1.000');
  expect(lines[4]).toBe('Thresholds chosen by B-cubed F on these labels: upper bounds.');
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  const csv = (await run(...words, '--format', 'csv', '-q')).out.trim().split('\n');
  expect(csv[0]).toContain(
    'method,magnitude,threshold [cosine],faces [count],people [count],clusters [count],pairwise',
  );
  expect(csv.slice(1).map((line) => line.split(',').slice(2, 6).concat(line.split(',').at(-1)!))).toEqual([
    ['-0.5', '5', '3', '1', 'false'],
    ['0.9', '5', '3', '3', 'true'],
  ]);
});

test('a list names the people where folders do not', async () => {
  const { results } = await record('--features', 'plain.list', '--people', 'people.txt', '--methods', 'kmeans');
  expect(results[0]).toMatchObject({ threshold: null, clusters: 3 });
  expect((await run('--features', 'plain.list')).notes).toContain('Expected the person as the folder of every image');
});

test.each([32, 64, 128, 256, 512, 1024, 1845])("IJB-B's list of %i people, by its layout", async (size) => {
  const folder = join(root, `test7_${size}`);
  mkdirSync(folder);
  const hint = size < 128 ? 100 : size < 1024 ? 1000 : 10000;
  const name = `ijbb_clustering_${size}_hint_${hint}.csv`;
  // Two templates a subject, a face each; subjects point in different directions of a space of 2,048 dimensions.
  const columns =
    'TEMPLATE_ID,FILENAME,FACE_X,FACE_Y,FACE_WIDTH,FACE_HEIGHT,RIGHT_EYE_X,RIGHT_EYE_Y,LEFT_EYE_X,LEFT_EYE_Y,NOSE_X,NOSE_Y';
  const faces = Array.from({ length: 2 * size }, (_, i) => `${i + 1},img/${i}.jpg,1,2,3,4,,,,,,`);
  const truth = Array.from({ length: 2 * size }, (_, i) => `${i + 1},${5000 + (i % size)},0`);
  writeFileSync(join(folder, name), [columns, ...faces].join('\n'));
  writeFileSync(join(folder, 'ijbb_clustering_test7_ground_truth.csv'), truth.join('\n'));
  const bits = (i: number): string => Array.from({ length: 12 }, (_, bit) => ((i % size) >> bit) & 1 || -1).join(' ');
  writeFileSync(join(folder, 'f.list'), faces.map((_, i) => `${i}.jpg ${bits(i)}\n`).join(''));
  const words = ['--features', join(folder, 'f.list'), '--people', join(folder, name), '--methods', 'dbscan'];
  const { people: number, clusters, results } = await record(...words, '--magnitude', 'none', '--thresholds', '0.99');
  expect([number, clusters]).toEqual([size, Math.min(hint, 2 * size)]);
  expect(results[0]!.pairwise).toMatchObject({ precision: 1, f: 1 });
});

test('names a missing ground truth and a list of another length', async () => {
  const list = join(root, 'ijbb_clustering_32_hint_100.csv');
  writeFileSync(list, 'TEMPLATE_ID,FILENAME\n1,a.jpg\n');
  expect((await run('--features', 'f.list', '--people', list)).notes).toContain(
    'put ijbb_clustering_test7_ground_truth.csv there',
  );
  writeFileSync(join(root, 'ijbb_clustering_test7_ground_truth.csv'), 'TEMPLATE_ID,SUBJECT_ID\n1,7\n');
  expect((await run('--features', 'f.list', '--people', list)).notes).toContain('Expected 1 features (one per line of');
  expect((await run('--features', 'f.list', '--faces', 'x')).notes).toContain(
    'either --features or --faces but received both',
  );
  expect((await run('--features', 'f.list', '--thresholds', '2')).notes).toContain('Expected cosines with commas');
});

test('images are embedded by a model, with the folders as people', async () => {
  writeFileSync(join(root, 'tiny.onnx'), tinyOnnx(112, tinyRecord([128, 128, 128])));
  for (const [person, background] of [
    ['red', '#f00'],
    ['blue', '#00f'],
  ] as const)
    for (const i of [1, 2]) {
      mkdirSync(join(root, 'images', person), { recursive: true });
      const image = sharp({ create: { width: 112, height: 112, channels: 3, background } });
      await image.toFile(join(root, 'images', person, `${i}.png`));
    }
  const words = ['--faces', 'images', '--aligned', '--model', 'tiny.onnx', '--methods', 'ahc', '--magnitude', 'none'];
  const found = await record(...words, '--thresholds', '0.9999', '--engine', 'onnx');
  expect(found).toMatchObject({ faces: 4, people: 2, model: 'tiny' });
  expect(found.results[0]!.pairwise.f).toBe(1);
});
