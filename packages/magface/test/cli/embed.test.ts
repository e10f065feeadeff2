/** What `embed` leaves behind: never a file that looks whole and is not, and never less than was there before. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeEach, expect, test } from 'vitest';
import { emptyFolder, interruptedRecogniser, runCli } from './run-cli.ts';

let cwd: string;
beforeEach(async () => {
  cwd = emptyFolder();
  mkdirSync(join(cwd, 'photos'));
  for (const [name, width] of [
    ['a', 50],
    ['b', 60],
    ['two', 70],
  ] as const)
    await sharp({ create: { width, height: 50, channels: 3, background: 'grey' } }).toFile(
      join(cwd, `photos/${name}.png`),
    );
});

const files = (): string[] => readdirSync(cwd).filter((name) => name !== 'photos');
const noModel = async (): Promise<never> => {
  throw new Error('a model was loaded');
};

test('keeps the existing file if no feature was computed', async () => {
  await runCli(['embed', 'photos', '--output', 'keep.npy'], { cwd });
  const before = [readFileSync(join(cwd, 'keep.npy')), readFileSync(join(cwd, 'keep.names.txt'))];
  const run = await runCli(['embed', 'gone.jpg', '--output', 'keep.npy', '--json'], { cwd });
  expect(run.exitCode).toBe(1);
  expect(JSON.parse(run.stdout)).toEqual({ images: 0, faces: 0, dimension: 2, output: null });
  expect([readFileSync(join(cwd, 'keep.npy')), readFileSync(join(cwd, 'keep.names.txt'))]).toEqual(before);
  const table = await runCli(['embed', 'gone.jpg', '--output', 'new.list'], { cwd });
  expect(table.stdout).toBe('0 images, 0 faces, nothing written to new.list\n');
  expect(files().sort()).toEqual(['keep.names.txt', 'keep.npy']);
});

test('saves an interrupted run next to the output name, and says so', async () => {
  await runCli(['embed', 'photos', '--output', 'keep.npy'], { cwd });
  const before = readFileSync(join(cwd, 'keep.npy'));
  const { recogniser, signal } = interruptedRecogniser();
  const services = { load: async () => recogniser };
  const run = await runCli(['embed', 'photos', '--output', 'keep.npy'], { cwd, services, signal });
  expect(run).toEqual({
    exitCode: 130,
    stdout: '1 image, 1 face, features of 2 values, in keep.part.npy\n',
    stderr: [
      'The results so far are in keep.part.npy; keep.npy is unchanged.',
      'Interrupted: the results so far are written.',
      '',
    ].join('\n'),
  });
  expect(readFileSync(join(cwd, 'keep.npy')).equals(before)).toBe(true);
  expect(readFileSync(join(cwd, 'keep.part.names.txt'), 'utf8')).toBe('photos/a.png\n');
});

test('counts faces as well as images', async () => {
  const run = await runCli(['embed', 'photos', '--all-faces', '--output', 'f.list'], { cwd });
  expect(run.stdout).toBe('3 images, 4 faces, features of 2 values, in f.list\n');
});

test('rejects names that the format cannot store before it loads a model', async () => {
  mkdirSync(join(cwd, 'mit leer'));
  await sharp(join(cwd, 'photos/a.png')).toFile(join(cwd, 'mit leer/a.png'));
  const run = await runCli(['embed', 'photos', 'mit leer', '--output', 's.list'], { cwd, services: { load: noModel } });
  expect(run).toEqual({
    exitCode: 2,
    stdout: '',
    stderr:
      'Expected names without white space in the official text but received "mit leer/a.png": write .npy, .safetensors or .jsonl instead.\n',
  });
  expect((await runCli(['embed', 'photos', 'mit leer', '--output', 's.npy'], { cwd })).exitCode).toBe(0);
});

test('rejects a missing folder before it loads a model', async () => {
  const run = await runCli(['embed', 'photos', '--output', 'no/such/x.npy'], { cwd, services: { load: noModel } });
  expect(run).toEqual({
    exitCode: 2,
    stdout: '',
    stderr: 'Expected to write no/such/x.npy but the folder no/such does not exist: create it, or choose another.\n',
  });
});

test('prints features without --output: JSON lines into a pipe, a summary in a terminal', async () => {
  const piped = await runCli(['embed', 'photos/a.png', 'photos/two.png'], { cwd });
  const records = piped.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(records.map(({ image, face, embedding }) => [image, face, embedding.length])).toEqual([
    ['photos/a.png', 0, 2],
    ['photos/two.png', 0, 2],
  ]);
  expect(Math.hypot(...records[0].embedding)).toBeCloseTo(records[0].magnitude, 4);
  const one = await runCli(['embed', 'photos/two.png', '--all-faces', '--json'], { cwd });
  expect(JSON.parse(one.stdout)).toHaveLength(2);
  const shown = await runCli(['embed', 'photos/a.png'], { cwd, terminal: true });
  expect(shown.stdout).toMatch(/^image +face +quality +magnitude +embedding\n/);
  expect(shown.stdout).toContain('(2 values)');
  expect(Math.max(...shown.stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(shown.stderr).toContain('--output FILE');
  expect(files()).toEqual([]);
});
