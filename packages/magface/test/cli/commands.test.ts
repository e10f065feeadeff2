/** What each command prints and writes, against a recogniser whose faces are known. */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isBuilt } from '@magface/torch';
import sharp from 'sharp';
import { beforeAll, expect, test } from 'vitest';
import { runtimeOf } from '../../src/cli/doctor.ts';
import { shortenMiddle } from '../../src/cli/output.ts';
import { duration, pace, startProgress } from '../../src/cli/progress.ts';
import { emptyFolder, fakeRecogniser, interruptedRecogniser, runCli } from './run-cli.ts';

const cwd = emptyFolder();

beforeAll(async () => {
  mkdirSync(join(cwd, 'photos/deep'), { recursive: true });
  const make = (file: string, width: number) =>
    sharp({ create: { width, height: 50, channels: 3, background: 'grey' } }).toFile(join(cwd, file));
  await Promise.all([make('photos/a.png', 50), make('photos/two.png', 70), make('photos/deep/a.png', 60)]);
});

test('quality prints one row per face, in the order of the inputs, within 80 columns', async () => {
  const { exitCode, stdout, stderr } = await runCli(['quality', 'photos'], { cwd });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toBe(
    [
      'image              face   size  magnitude  quality  reasons',
      'photos/a.png          0  30x40       5.00       50  blurred (3.2)',
      'photos/deep/a.png     0  30x40       6.00       73  blurred (3.2)',
      'photos/two.png        0  30x40       7.00       88  blurred (3.2)',
      'photos/two.png        1  30x40       6.00       73  blurred (3.2)',
      '',
    ].join('\n'),
  );
});

test('quality --json prints the fields of the contract', async () => {
  const { stdout } = await runCli(['quality', 'photos/a.png', '--json'], { cwd });
  const [record] = JSON.parse(stdout) as object[];
  const keys = ['image', 'face', 'box', 'landmarks', 'detection', 'magnitude', 'quality', 'reasons', 'estimates'];
  expect(Object.keys(record!)).toEqual(keys);
  expect(record).toMatchObject({
    box: { x: 1, y: 2, width: 30, height: 40 },
    reasons: [{ code: 'blurred', value: 3.2 }],
  });
});

test('quality --best and --copy-to print the best first and copy them without overwriting', async () => {
  const words = ['quality', 'photos', '--best', '2', '--copy-to', 'best', '--format', 'csv'];
  const { stdout } = await runCli(words, { cwd });
  expect(stdout.split('\n').map((line) => line.split(',')[0])).toEqual([
    'image',
    'photos/two.png',
    'photos/deep/a.png',
    '',
  ]);
  expect(readdirSync(join(cwd, 'best')).sort()).toEqual(['a.png', 'two.png']);
  await runCli(['quality', 'photos/a.png', '--copy-to', 'best'], { cwd });
  expect(readdirSync(join(cwd, 'best')).sort()).toEqual(['a-2.png', 'a.png', 'two.png']);
});

test('quality --best --copy-to keeps both images that two lists call by the same name', async () => {
  for (const side of [50, 60]) {
    mkdirSync(join(cwd, `of-${side}`));
    const picture = sharp({ create: { width: side, height: 50, channels: 3, background: 'grey' } });
    await picture.toFile(join(cwd, `of-${side}/x.png`));
    writeFileSync(join(cwd, `of-${side}/l.list`), 'x.png\n');
  }
  const lists = ['--list', 'of-50/l.list', '--list', 'of-60/l.list'];
  await runCli(['quality', ...lists, '--best', '2', '--copy-to', 'both'], { cwd });
  expect(readdirSync(join(cwd, 'both')).sort()).toEqual(['x-2.png', 'x.png']);
  expect(await sharp(join(cwd, 'both/x.png')).metadata()).toMatchObject({ width: 60 });
});

test('quality reports once that a model has no scale', async () => {
  const load = async () => fakeRecogniser({ calibration: undefined });
  const { exitCode, stderr } = await runCli(['quality', 'photos'], { cwd, services: { load } });
  expect([exitCode, stderr]).toEqual([
    0,
    'fake has no quality scale, so only magnitudes are shown: fit one with `magface calibrate`.\n',
  ]);
  expect((await runCli(['quality', 'photos', '-q'], { cwd, services: { load } })).stderr).toBe('');
});

test('quality --min-quality filters, and needs a calibrated model', async () => {
  const words = ['quality', 'photos', '--min-quality', '80', '--format', 'jsonl'];
  const { stdout } = await runCli(words, { cwd });
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).quality),
  ).toEqual([88.1]);
  const load = async () => fakeRecogniser({ calibration: undefined });
  const bare = await runCli(words, { cwd, services: { load } });
  expect(bare.exitCode).toBe(2);
  expect(bare.stderr).toContain('Expected a calibrated model for --min-quality but fake has no calibration');
});

test('--min-quality compares more digits than are printed', async () => {
  const least = async (value: string) =>
    (await runCli(['quality', 'photos', '--min-quality', value, '-q'], { cwd })).stdout;
  expect(await least('88.07')).toMatch(/ 88 /); // 100 / (1 + exp(5 - 7)) is 88.08
  expect(await least('88.09')).not.toMatch(/ 88 /);
});

test('quality --report passes every photo and face to the page', async () => {
  await runCli(['quality', 'photos/two.png', '--report', 'r.html'], { cwd });
  const data = JSON.parse(readFileSync(join(cwd, 'r.html'), 'utf8'));
  expect(data.images[0]).toMatchObject({
    name: 'photos/two.png',
    width: 70,
    height: 50,
    faces: [{ face: 0 }, { face: 1 }],
  });
  expect(data.images[0].picture).toMatch(/^data:image\/jpeg;base64,/);
});

test('embed writes the largest face of each image, or all faces, and the flip-sum', async () => {
  const words = ['embed', 'photos', '--output', 'f.jsonl', '--json'];
  const { stdout } = await runCli(words, { cwd });
  expect(JSON.parse(stdout)).toEqual({ images: 3, faces: 3, dimension: 2, output: 'f.jsonl' });
  const read = () =>
    readFileSync(join(cwd, 'f.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  expect(read().map(({ image, magnitude }) => [image, magnitude])).toEqual([
    ['photos/a.png', 5],
    ['photos/deep/a.png', 6],
    ['photos/two.png', 7],
  ]);
  await runCli(['embed', 'photos/two.png', '--all-faces', '--flip', '--output', 'f.jsonl'], { cwd });
  expect(read().map(({ image, magnitude }) => [image, magnitude])).toEqual([
    ['photos/two.png', 14],
    ['photos/two.png#1', 12],
  ]);
  const wrong = await runCli(['embed', 'photos', '--output', 'f.txt'], { cwd });
  expect(wrong.exitCode).toBe(2);
});

test("embed reads the first word of each list line, relative to --root, the current folder or the list's folder", async () => {
  writeFileSync(join(cwd, 'photos/l.list'), 'deep/a.png 7 0\n');
  for (const root of [[], ['--root', 'photos']]) {
    const { exitCode } = await runCli(['embed', '--list', 'photos/l.list', ...root, '--output', 'l.list'], { cwd });
    expect(exitCode).toBe(0);
    expect(readFileSync(join(cwd, 'l.list'), 'utf8').split(' ')[0]).toBe('deep/a.png');
  }
});

test("compare prints the similarity and decides by the model's threshold", async () => {
  const thresholds = [
    { fmr: 0.001, threshold: 0.4, set: 's' },
    { fmr: 0.0001, threshold: 0.5, set: 's' },
  ];
  const services = { load: async () => fakeRecogniser({ thresholds }) };
  const { stdout } = await runCli(['compare', 'photos/a.png', 'photos/two.png', '--json'], { cwd, services });
  expect(JSON.parse(stdout)).toEqual({
    similarity: 1,
    threshold: 0.4,
    fmr: 0.001,
    fmrAsked: 0.001,
    same: true,
    quality: [50, 88.1],
    faces: [1, 2],
    likelihood: null,
  });
  const likelihood = {
    ...{ weights: [-7, 12, 0, 0.2], covariance: Array(10).fill(0.001), source: 'made up' },
    ...{ magnitudes: [1, 9], ratios: [0.001, 5000] },
  };
  const sure = { load: async () => fakeRecogniser({ thresholds, likelihood }) };
  const told = await runCli(['compare', 'photos/a.png', 'photos/two.png'], { cwd, services: sure });
  expect(told.stdout.split('\n')[1]).toBe(
    'About 400 times likelier the same person than two people (95 %: 200 to 800).',
  );
  const beyond = [{ fmr: 0.001, threshold: 1.1, set: 's' }]; // no pair reaches it
  const doubtful = { load: async () => fakeRecogniser({ thresholds: beyond, likelihood }) };
  const below = await runCli(['compare', 'photos/a.png', 'photos/two.png'], { cwd, services: doubtful });
  expect(below.stdout.split('\n').slice(0, 3)).toEqual([
    'Similarity 1.0000. Below the threshold of 1.1 at a false match rate of 0.001.',
    'Yet about 400 times likelier the same person than two people (95 %: 200 to 800).',
    'So poor a face is seldom more similar to its own person.',
  ]);
  const unlikely = { ...likelihood, weights: [-17, 12, 0, 0.2] };
  const over = { load: async () => fakeRecogniser({ thresholds, likelihood: unlikely }) };
  const above = await runCli(['compare', 'photos/a.png', 'photos/two.png'], { cwd, services: over });
  expect(above.stdout).toMatch(
    /^Similarity 1.0000. Above the threshold of 0.4 .*\nYet about \d+ times likelier two people/,
  );
  const between = await runCli(['compare', 'photos/a.png', 'photos/two.png', '--fmr', '0.0005'], { cwd, services });
  expect(between.stdout.split('\n')).toEqual([
    'Similarity 1.0000. The same person: threshold 0.5 at a false match rate of 0.0001, the next stricter measured rate than the 0.0005 asked for.',
    'photos/a.png: quality 50, magnitude 5.00',
    'photos/two.png: quality 88, magnitude 7.00, the largest of 2 faces',
    '',
  ]);
  const stricter = await runCli(['compare', 'photos/a.png', 'photos/two.png', '--fmr', '0.00005'], { cwd, services });
  expect([stricter.exitCode, stricter.stdout]).toEqual([2, '']);
  expect(stricter.stderr).toContain('Expected a false match rate of at least 0.0001 (the strictest measured for this');
  const words = await runCli(['compare', 'photos/a.png', 'photos/two.png'], { cwd });
  expect(words.stdout.split('\n')[0]).toBe(
    'Similarity 1.0000. No decision, because fake has no threshold: measure one with `magface calibrate --pairs`.',
  );
  const missing = await runCli(['compare', 'photos/a.png', 'gone.png'], { cwd });
  expect(missing.exitCode).toBe(1);
  expect(missing.stderr).toContain('Expected an image but gone.png does not exist');
});

test('align writes every face under its own name', async () => {
  const { stdout } = await runCli(['align', 'photos', '--output', 'faces', '--format', 'csv', '--size', '56'], { cwd });
  expect(stdout).toBe(
    'image,face,output\nphotos/a.png,0,faces/a_0.png\nphotos/deep/a.png,0,faces/a_0-2.png\nphotos/two.png,0,faces/two_0.png\nphotos/two.png,1,faces/two_1.png\n',
  );
  expect(await sharp(join(cwd, 'faces/two_1.png')).metadata()).toMatchObject({ width: 56, height: 56 });
  const gone = await runCli(['align', 'gone.png', '--output', 'faces', '--json'], { cwd });
  const [{ image, error }] = JSON.parse(gone.stdout);
  expect([image, error.message]).toEqual(['gone.png', gone.stderr.trim()]);
  expect(error.message).toContain('Expected an image but gone.png does not exist');
});

test('calibrate fits centre and width, and rejects too few faces', async () => {
  writeFileSync(join(cwd, 'c.list'), 'photos/a.png\nphotos/two.png\n'.repeat(60));
  const { stdout } = await runCli(['calibrate', '--faces', 'c.list', '--json'], { cwd });
  expect(JSON.parse(stdout)).toEqual({
    centre: 6,
    width: 2 / (2 * Math.log(3)),
    widthBelow: null,
    magnitudes: { p5: 5, p25: 5, p50: 6, p75: 7, p95: 7 },
    thresholds: [],
    carriedOver: [],
  });
  expect(await runCli(['calibrate', '--faces', 'photos'], { cwd })).toMatchObject({ exitCode: 2, stdout: '' });
});

test('models and doctor print their records', async () => {
  const { stdout } = await runCli(['models', 'list', '--format', 'csv']);
  expect(stdout).toBe(
    'model,kind,cached,licence,what\ntiny,recogniser,yes,MIT,a tiny one\nbig,detector,no,Apache-2.0,a big one\n',
  );
  const shown = JSON.parse((await runCli(['models', 'show', 'fake', '--json'])).stdout);
  expect(shown).toMatchObject({ name: 'fake', bytes: 3, embeddingLength: 2 });
  const doctor = JSON.parse((await runCli(['doctor', '--json'])).stdout);
  expect(runtimeOf({ node: '26.3.0', bun: '1.4.5' })).toBe('bun 1.4.5');
  const { node } = process.versions;
  expect(doctor).toMatchObject({ runtime: `node ${node}`, node, devices: ['cpu'], models: ['tiny'] });
  expect(doctor.missing).toContain('model big is not cached: run magface models pull big');
});

const notBuilt = isBuilt() ? '' : " [skipped: libtorch's addon is not built; npm run build:torch]";

test.skipIf(!isBuilt())(`doctor --memory tries the training allocator${notBuilt}`, async () => {
  const { exitCode, stdout } = await runCli(['doctor', '--memory']);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/@magface\/torch: over libtorch \d/);
  expect(stdout).toMatch(
    /allocated: 9 blocks, 8 of them from the cache; peak 64 MiB; cached 64 MiB of at most 256 MiB/,
  );
  const { memory } = JSON.parse((await runCli(['doctor', '--memory', '--json'])).stdout);
  expect(memory).toMatchObject({ cached: 64 * 2 ** 20, limit: 256 * 2 ** 20 });
});

test('an interruption exits with 130 after complete output', async () => {
  const interrupt = new AbortController();
  interrupt.abort();
  const run = await runCli(['quality', 'photos/a.png', '--json'], { cwd, signal: interrupt.signal });
  expect(run).toEqual({ exitCode: 130, stdout: '[]\n', stderr: 'Interrupted: the results so far are written.\n' });
});

test('an interruption during a run keeps finished results, in a file and on stdout', async () => {
  for (const [words, result] of [
    [['quality', 'photos', '--json'], 'stdout'],
    [['embed', 'photos', '--output', 'part.jsonl', '--json'], 'file'],
  ] as const) {
    const { recogniser, signal } = interruptedRecogniser();
    const run = await runCli(words, { cwd, services: { load: async () => recogniser }, signal });
    expect(run.exitCode).toBe(130);
    if (result === 'stdout') expect(JSON.parse(run.stdout)).toMatchObject([{ image: 'photos/a.png' }]);
    else {
      expect(JSON.parse(run.stdout)).toEqual({ images: 1, faces: 1, dimension: 2, output: 'part.part.jsonl' });
      expect(readFileSync(join(cwd, 'part.part.jsonl'), 'utf8').trim().split('\n')).toHaveLength(1);
      expect(existsSync(join(cwd, 'part.jsonl'))).toBe(false);
    }
  }
});

test('help fits into 80 columns', async () => {
  for (const words of [['--help'], ['quality', '--help'], ['embed', '--help'], ['models', '--help']]) {
    const { exitCode, stdout } = await runCli(words);
    expect(exitCode).toBe(0);
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(stdout).toContain('Examples:');
  }
});

test('progress prints lines without a terminal, a bar on one, and rates and times for users', async () => {
  const lines: string[] = [];
  const stream = { write: (text: string) => lines.push(text) } as unknown as NodeJS.WritableStream;
  let time = 0;
  const progress = startProgress(stream, { total: 100, unit: 'images', now: () => time });
  time = 4000;
  progress.update(8);
  time = 5000;
  progress.update(10);
  expect(lines).toEqual(['10/100 images, 2.0/s, 45 s left\n']);
  expect(pace(0, 5, 100)).toBe('');
  expect(pace(10, 90, 5000)).toBe('2.0/s, 45 s left');
  expect([12, 600, 12_000].map(duration)).toEqual(['12 s', '10 min', '3 h 20 min']);
  expect(shortenMiddle('photos/summer/IMG_2041.jpg', 16)).toBe('photos…_2041.jpg');
  expect((await runCli(['quality', 'photos', '--json'], { cwd, terminal: true })).stdout).toMatch(/^\[\n/);
  expect((await runCli(['quality', 'photos'], { cwd, terminal: true })).stderr).toContain('3/3 images');
  expect(existsSync(join(cwd, 'photos'))).toBe(true);
});
