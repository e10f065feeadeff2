/** `magface data check` on people who are told by their colour. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { randomStream } from '../../../src/random.ts';
import { readDataset } from '../../../src/train/data/dataset.ts';
import { tinyOnnx, tinyRecord } from '../../support/tiny-onnx.ts';
import { runIn } from '../evaluate/evaluate-run.ts';

const root = mkdtempSync(join(tmpdir(), 'data check '));
afterAll(() => rmSync(root, { recursive: true }));

const colours = { red: [250, 30, 30], green: [30, 250, 30], blue: [30, 30, 250] } as const;

/** The colour with a pattern of its own, so that no two are the same photo. */
async function face(file: string, colour: keyof typeof colours, seed: number): Promise<void> {
  const next = randomStream(seed);
  const cells = Array.from({ length: 8 * 8 }, () => 60 * (next() - 0.5));
  const data = Uint8Array.from({ length: 8 * 8 * 3 }, (_, i) => {
    return Math.max(0, Math.min(255, colours[colour][i % 3]! + cells[Math.floor(i / 3)]!));
  });
  mkdirSync(join(root, file, '..'), { recursive: true });
  await sharp(data, { raw: { width: 8, height: 8, channels: 3 } })
    .resize(112, 112, { kernel: 'nearest' })
    .png()
    .toFile(join(root, file));
}

beforeAll(async () => {
  const record = {
    ...tinyRecord([128, 128, 128]),
    thresholds: [
      { fmr: 0.01, threshold: 0.2, set: 'made up' },
      { fmr: 0.0001, threshold: 0.4, set: 'made up' },
    ],
  };
  writeFileSync(join(root, 'tiny.onnx'), tinyOnnx(112, record));
  let seed = 0;
  for (const person of ['red', 'green', 'blue'] as const)
    for (const i of [1, 2, 3, 4]) await face(`faces/${person}/${i}.png`, person, seed++);
  await face('faces/red/4.png', 'green', 90);
  await face('faces/green/4.png', 'red', 91);
  await sharp(join(root, 'faces/blue/1.png')).flop().jpeg({ quality: 70 }).toFile(join(root, 'faces/blue/5.jpg'));
  writeFileSync(join(root, 'faces/blue/6.jpg'), 'no image');
  for (const i of [1, 2]) await face(`test/blau/${i}.png`, 'blue', 100 + i);
});

const words = ['--aligned', '--model', 'tiny.onnx', '--engine', 'onnx'];
const run = (...more: string[]) => runIn(root, 'data', 'check', 'faces', ...words, ...more);

test('tells what it found, in 80 columns', async () => {
  const { exitCode, out } = await run();
  expect(exitCode).toBe(0);
  expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(out).toContain('faces: 14 images of 3 people, 4 to 6 (median 4) each');
  expect(out).toContain('Images without a face, or unreadable: 1\n');
  expect(out).toContain('The same photo twice: 1\n');
  expect(out).toContain('Probably mislabelled (own, other cosine), 1 swap among them: 2\n');
  expect(out).toContain('--write keeps 12 images of 3 people (1 duplicate, 1 unusable, 2 mislabelled).');
});

test('gives the names of all findings as JSON', async () => {
  const record = JSON.parse((await run('--json', '-q')).out);
  expect(record.mislabelled.map((one: Record<string, unknown>) => [one['image'], one['swappedWith']])).toEqual([
    ['faces/green/4.png', 'faces/red/4.png'],
    ['faces/red/4.png', 'faces/green/4.png'],
  ]);
  expect(record.duplicates[0].images.map(({ image }: { image: string }) => image)).toEqual([
    'faces/blue/1.png',
    'faces/blue/5.jpg',
  ]);
  expect(record.unusable).toMatchObject([{ image: 'faces/blue/6.jpg' }]);
});

test('writes a list to train on and a page, and leaves out people of a test set', async () => {
  const { notes } = await run('--against', 'test', '--write', 'clean.list', '--report', 'check.html');
  expect(notes).toContain('List: clean.list, 8 images of 2 people.');
  const list = readFileSync(join(root, 'clean.list'), 'utf8');
  expect(list).not.toContain('blue');
  expect(list).toContain('faces/green/1.png 0 0 0\n');
  const { samples, classes } = readDataset(join(root, 'clean.list'));
  expect([samples.length, classes]).toEqual([8, 2]);
  const label = (part: string) => Array.from(samples).find(({ path }) => path.endsWith(part))!.label;
  expect(label('green/4.png')).toBe(label('red/1.png'));
  const page = readFileSync(join(root, 'check.html'), 'utf8');
  expect(page).toContain('1 overlap with a test set');
  expect(page.match(/<img /g)).toHaveLength(2 * (1 + 2 + 1));
});

test('rejects a list of packed images', async () => {
  const made = await runIn(root, 'convert', 'test', 'packed.rec');
  expect(made.exitCode, made.notes).toBe(0);
  const { exitCode, notes } = await runIn(root, 'data', 'check', 'packed.rec', ...words, '--write', 'other.list');
  expect(exitCode).toBe(2);
  expect(notes).toContain('packed.rec is packed');
});
