import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readPairList } from '../../../src/eval/pair-list.ts';
import { writeVerificationBin } from '../../../src/format/verification-bin.ts';
import { randomStream } from '../../../src/random.ts';
import { tinyOnnx, tinyRecord } from '../../support/tiny-onnx.ts';
import { runIn } from './evaluate-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'evaluate set '));
const model = join(folder, 'tiny.onnx');
const contract = tinyRecord([128, 128, 128]);

/** Twenty people, each of one colour, four pictures each; LFW's own layout. */
beforeAll(async () => {
  writeFileSync(model, tinyOnnx(112, contract));
  const random = randomStream(7);
  for (let person = 0; person < 20; person++) {
    const colour = [0, 1, 2].map(() => 40 + 175 * random());
    for (let number = 1; number <= 4; number++) {
      const file = join(folder, 'LFW', 'faces', `P${person}`, `P${person}_000${number}.png`);
      mkdirSync(dirname(file), { recursive: true });
      const [r, g, b] = colour.map((value) => Math.round(value + 12 * random())) as [number, number, number];
      const flat = sharp({ create: { width: 112, height: 112, channels: 3, background: { r, g, b } } });
      await flat.png().toFile(file);
    }
  }
  const lines = Array.from({ length: 10 }, (_, fold) => {
    const [a, b] = [2 * fold, 2 * fold + 1];
    const [c, d] = [(a + 2) % 20, (b + 2) % 20];
    return [`P${a} 1 2`, `P${b} 3 4`, `P${a} 1 P${c} 3`, `P${b} 2 P${d} 4`].join('\n');
  });
  writeFileSync(join(folder, 'LFW', 'pairs.txt'), `10\t2\n${lines.join('\n')}\n`);
});
afterAll(() => rmSync(folder, { recursive: true }));

const settings = (): string[] => ['--model', model, '--aligned', '--json', '-q'];

test('measures a published folder as embed and `evaluate pairs` do in two steps', async () => {
  const set = await runIn(folder, 'evaluate', 'set', 'LFW', ...settings());
  expect([set.exitCode, set.notes]).toEqual([0, '']);
  const record = JSON.parse(set.out) as Record<string, unknown>;
  expect(record).toMatchObject({
    set: 'LFW',
    model: 'tiny',
    images: 60,
    pairs: 40,
    genuine: 20,
    impostor: 20,
    folds: 10,
  });
  expect(record).toMatchObject({ reject: { fmr: 0.1, threshold: 'exact' }, thresholds: [{ far: 0.1 }] });

  await runIn(folder, 'embed', 'LFW/faces', '--model', model, '--aligned', '--output', 'lfw.npy', '-q');
  const pairs = await runIn(
    folder,
    'evaluate',
    'pairs',
    '--features',
    join(folder, 'lfw.npy'),
    '--pairs',
    join(folder, 'LFW/pairs.txt'),
    '--json',
    '-q',
  );
  for (const key of ['accuracy', 'accuracyStd', 'cosineAccuracy', 'auc', 'eer', 'tarAtFar', 'thresholdAtFar'])
    expect(record[key], key).toEqual((JSON.parse(pairs.out) as Record<string, unknown>)[key]);
});

test('gives the same figures for a .bin of the same pairs, and embeds each image once', async () => {
  const list = await readPairList(join(folder, 'LFW/pairs.txt'));
  const image = (name: string): Buffer => readFileSync(join(folder, 'LFW/faces', `${name}.png`));
  await writeVerificationBin(
    join(folder, 'lfw.bin'),
    list.left.map((left, k) => ({ images: [image(left), image(list.right[k]!)] as const, same: list.same[k] === 1 })),
  );
  const [bin, dir] = [
    await runIn(folder, 'evaluate', 'set', 'lfw.bin', ...settings()),
    await runIn(folder, 'evaluate', 'set', 'LFW', ...settings()),
  ];
  const [a, b] = [bin, dir].map(
    ({ out }) => JSON.parse(out) as { images: number; thresholds: object[]; intervals: object },
  );
  const { thresholds: _, intervals: __, ...figures } = b!;
  expect(a).toMatchObject(figures); // intervals differ: a .bin does not say who is who
});

test('uses cached features in the second run, but not for a changed image, model or setting', async () => {
  const files = (): number => readdirSync(join(folder, 'features')).length;
  const run = (...flags: string[]) => runIn(folder, 'evaluate', 'set', 'LFW', '--model', model, '--aligned', ...flags);
  await run();
  const before = files();
  expect((await run()).notes).toContain('Features of LFW come from the cache.');
  expect((await run('--flip')).notes).not.toContain('cache');
  expect(files()).toBe(before + 1);
  expect((await run('--no-cache')).notes).not.toContain('cache');
  expect((await run('--engine', 'torch')).notes).not.toContain('cache'); // also where it is not installed
});

test('--methods adds quality methods to the figures', async () => {
  const { out } = await runIn(folder, 'evaluate', 'set', 'LFW', ...settings(), '--methods', 'flip', 'shift');
  const { measures } = JSON.parse(out) as { readonly measures: Record<string, { readonly paucArea: number }> };
  expect(Object.keys(measures)).toEqual(['flip', 'shift']);
  for (const { paucArea } of Object.values(measures)) expect(paucArea).toBeGreaterThanOrEqual(0);
});

test('--report writes a page with the images of its pairs; CSV has one row', async () => {
  await runIn(folder, 'evaluate', 'set', 'LFW', ...settings(), '--report', 'lfw.html');
  const page = readFileSync(join(folder, 'lfw.html'), 'utf8');
  expect(page.match(/<img src="data:image\/jpeg;base64,/g)).toHaveLength(2 * 4 * 6);
  const csv = await runIn(folder, 'evaluate', 'set', 'LFW', '--model', model, '--aligned', '-q', '--format', 'csv');
  expect(csv.out).toMatch(/^set,model,images \[count\],pairs \[count\],.*\nLFW,tiny,60,40,[^"%{[]*\n$/);
});

test.each([
  [['nowhere'], 'Expected a folder or a .bin file at .*nowhere but it does not exist: check the path.'],
  [['LFW/faces'], 'Expected one list of pairs in .* but it contains none: name it with --pairs.'],
  [['LFW', '--images', 'LFW/faces/P1'], '"P0/P0_0001" of pair 1 is missing'],
  [['LFW', '--folds', '1'], 'Expected 2 to 40 folds for 40 pairs but received 1'],
  [['lfw.bin', '--pairs', 'pairs.txt'], 'a .bin contains its own images and pairs'],
])('%j exits with 2 and one sentence', async (words, message) => {
  const { exitCode, notes, out } = await runIn(folder, 'evaluate', 'set', ...words, ...settings());
  expect(notes).toMatch(new RegExp(message));
  expect([exitCode, out]).toEqual([2, '']);
});

test('names an image without a feature, and gives no figure over the rest', async () => {
  const broken = join(folder, 'broken');
  mkdirSync(broken);
  writeFileSync(join(broken, 'a.png'), 'no picture');
  writeFileSync(join(broken, 'b.png'), readFileSync(join(folder, 'LFW/faces/P0/P0_0001.png')));
  writeFileSync(join(broken, 'pairs.csv'), 'left,right,same\na.png,b.png,1\nb.png,b.png,0\n');
  const { exitCode, notes } = await runIn(folder, 'evaluate', 'set', 'broken', ...settings());
  expect(notes).toMatch(
    /^Expected a feature for every image of broken but 1 of 2 have none \(a\.png \(image unreadable\)\): use --aligned/,
  );
  expect(exitCode).toBe(2);
});

test('a .bin, a folder of its images and `evaluate pairs` give the same figures', async () => {
  const images = join(folder, 'LFW', 'faces');
  const { left, right, same } = await readPairList(join(folder, 'LFW', 'pairs.txt'));
  const pairs = left.map((name, k) => ({ images: [`${name}.png`, `${right[k]!}.png`] as const, same: same[k] === 1 }));
  const image = (name: string): Buffer => readFileSync(join(images, name));
  await writeVerificationBin(
    join(folder, 'part.bin'),
    pairs.map(({ images: [a, b], same }) => ({ images: [image(a), image(b)] as const, same })),
  );
  const rows = pairs.map(({ images, same }) => `${images.join()},${same ? 1 : 0}\n`);
  writeFileSync(join(folder, 'part.csv'), `left,right,same\n${rows.join('')}`);
  writeFileSync(join(folder, 'part.list'), pairs.flatMap(({ images }) => images.map((name) => `${name}\n`)).join(''));

  const bin = await runIn(folder, 'evaluate', 'set', 'part.bin', ...settings());
  const dir = await runIn(folder, 'evaluate', 'set', images, '--pairs', 'part.csv', ...settings());
  const input = ['--list', 'part.list', '--root', images, '--model', model, '--aligned'];
  await runIn(folder, 'embed', ...input, '--output', 'part.npy', '-q');
  const inOrder = ['--features', join(folder, 'part.npy'), '--pairs', join(folder, 'part.csv'), '--match', 'order'];
  const steps = await runIn(folder, 'evaluate', 'pairs', ...inOrder, '--json', '-q');
  const [a, b, c] = [bin, dir, steps].map(({ out }) => JSON.parse(out) as Record<string, unknown>);
  for (const key of ['pairs', 'accuracy', 'cosineAccuracy', 'auc', 'eer', 'tarAtFar']) {
    expect(a![key], key).toEqual(c![key]);
    expect(b![key], key).toEqual(c![key]);
  }
  expect(a!['pairs']).toBe(40);
});
