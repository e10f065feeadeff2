import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { ConfigError, FormatError, MagfaceError } from '../../../src/errors.ts';
import { datasetSize, readDataset, readDatasets } from '../../../src/train/data/dataset.ts';
import { decodeSample, faceBytes } from '../../../src/train/data/decode-sample.ts';
import { Loader } from '../../../src/train/data/loader.ts';
import { epochOrder, isFlipped } from '../../../src/train/data/sample-order.ts';
import { jpeg, smallSet, temporaryFolder } from '../small-set.ts';

test('order and flips depend only on seed and epoch; each sample comes once and half are mirrored', () => {
  const order = epochOrder(1, 0, 1000);
  expect(epochOrder(1, 0, 1000)).toEqual(order);
  expect(epochOrder(1, 1, 1000)).not.toEqual(order);
  expect(epochOrder(2, 0, 1000)).not.toEqual(order);
  expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  const flips = Array.from({ length: 10_000 }, (_, i) => Number(isFlipped(1, 0, i))).reduce((a, b) => a + b);
  expect(Math.abs(flips - 5000)).toBeLessThan(200);
});

test('classes of a folder per person are in the order of names, with any number of spaces', () => {
  const dataset = readDataset(smallSet(3, 2));
  expect(dataset.classes).toBe(3);
  expect(dataset.names).toEqual(['person 0', 'person 1', 'person 2']);
  expect(Array.from(dataset.samples, ({ label }) => label)).toEqual([0, 0, 1, 1, 2, 2]);
});

test('people are those with images; the number of classes is mentioned if larger', () => {
  const folder = smallSet(2, 2);
  expect(datasetSize(readDataset(folder))).toBe('4 images of 2 people');
  expect(datasetSize(readDataset(folder, { classes: 5 }))).toBe('4 images of 2 people in 5 classes');
  mkdirSync(join(folder, 'person 0b'));
  expect(datasetSize(readDataset(folder))).toBe('4 images of 2 people in 3 classes');
});

test('the official list may have spaces in names, relative to the root or to the list', () => {
  const folder = smallSet(2, 1);
  const list = join(folder, 'train.list');
  writeFileSync(list, 'person 0/0.jpg 0 0 0\nperson 1/0.jpg 0 4 0\n\n');
  const expected = [
    { path: join(folder, 'person 0/0.jpg'), label: 0 },
    { path: join(folder, 'person 1/0.jpg'), label: 4 },
  ];
  expect(readDataset(list)).toEqual({ samples: expected, classes: 5 });
  expect(readDataset(list, { root: folder, classes: 8 }).classes).toBe(8);
  expect(Array.from(readDatasets([list, list]).samples, ({ label }) => label)).toEqual([0, 4, 5, 9]);
});

test('errors in a list are reported before the first step', () => {
  const folder = smallSet(1, 1);
  const write = (text: string): string => {
    const list = join(folder, 'train.list');
    writeFileSync(list, text);
    return list;
  };
  expect(() => readDataset(join(folder, 'none'))).toThrow(/does not exist/);
  expect(() => readDataset(write(''))).toThrow(FormatError);
  expect(() => readDataset(write('person 0/0.jpg 0 0 0\nperson 0/0.jpg 0 x 0\n'))).toThrow(/line 2/);
  expect(() => readDataset(write('lost.jpg 0 0 0\n'))).toThrow(/--root/);
  expect(() => readDataset(write('person 0/0.jpg 0 7 0\n'), { classes: 5 })).toThrow(
    /below last-fc-size 5 but .* has 7/,
  );
  expect(() => readDataset(folder, { root: join(folder, 'no') })).toThrow(ConfigError);
  expect(() => readDataset(folder, { root: folder })).toThrow(
    /Expected a list for --root \(.*\) but .* is not a list: leave --root out/,
  );
  expect(() => new Loader(readDataset(write('person 0/0.jpg 0 0 0\n')), { batchSize: 2, seed: 1 })).toThrow(
    /at most 1/,
  );
});

test.each([0, -4, 2.5, Number.NaN, undefined as unknown as number])(
  'a batch size of %s is rejected by name',
  (batchSize) => {
    const dataset = readDataset(smallSet(2, 2));
    const make = (): Loader => new Loader(dataset, { batchSize, seed: 1 });
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(`Expected a whole number above 0 as batch size but received ${batchSize}: `);
  },
);

test('pixels are BGR, mirrored on request, and the same from sharp if the file is not a JPEG', async () => {
  const folder = temporaryFolder();
  const pixels = Buffer.alloc(faceBytes);
  pixels.set([10, 20, 30], 0); // RGB of the first pixel
  const png = join(folder, 'a.png');
  await sharp(pixels, { raw: { width: 112, height: 112, channels: 3 } })
    .png()
    .toFile(png);
  const [plain, mirrored] = [new Uint8Array(faceBytes), new Uint8Array(faceBytes)];
  await decodeSample(png, plain, false);
  await decodeSample(png, mirrored, true);
  expect([...plain.subarray(0, 3)]).toEqual([30, 20, 10]);
  expect([...mirrored.subarray(111 * 3, 112 * 3)]).toEqual([30, 20, 10]);
  writeFileSync(join(folder, 'large.jpg'), jpeg('large', 120));
  await expect(decodeSample(join(folder, 'large.jpg'), plain, false)).rejects.toThrow(
    /aligned face of 112x112 pixels but it has 120x120/,
  );
});

test('batches are the same with and without workers, starting at any step', async () => {
  const dataset = readDataset(smallSet(3, 4));
  const collect = async (workers: number, from: number): Promise<string[]> => {
    await using loader = new Loader(dataset, { batchSize: 4, seed: 5, workers });
    const seen: string[] = [];
    for await (const { faces, labels, indices } of loader.batches(2, from)) {
      seen.push(`${labels} ${indices} ${Buffer.from(faces).toString('base64')}`);
    }
    return seen;
  };
  const alone = await collect(0, 0);
  expect(alone).toHaveLength(3);
  expect(await collect(2, 0)).toEqual(alone);
  expect(await collect(2, 1)).toEqual(alone.slice(1));
});

test('an unreadable image is named once and replaced; more than 1 % stop the run', async () => {
  const folder = smallSet(2, 60);
  const bad = join(folder, 'person 0', '3.jpg');
  writeFileSync(bad, 'no image');
  const named: string[] = [];
  const options = { batchSize: 10, seed: 1, workers: 0, onUnreadable: (path: string) => named.push(path) };
  const dataset = readDataset(folder);
  const badIndex = [...dataset.samples].findIndex(({ path }) => path === bad);
  await using loader = new Loader(dataset, options);
  for (const epoch of [0, 1]) {
    for await (const { indices } of loader.batches(epoch)) expect([...indices]).not.toContain(badIndex);
  }
  expect(named).toEqual([bad]);
  expect((await loader.verify()).map(({ path }) => path)).toEqual([bad]);

  writeFileSync(join(folder, 'person 1', '0.jpg'), '');
  const read = async (): Promise<void> => {
    await using second = new Loader(readDataset(folder), options);
    for await (const _ of second.batches(0));
  };
  await expect(read()).rejects.toThrow(MagfaceError);
  await expect(read()).rejects.toThrow(/at most 1 % of the 120 training images/);
});

test('closing while threads decode waits for the current image and drops the rest', async () => {
  const dataset = readDataset(smallSet(4, 8));
  for (let round = 0; round < 4; round++) {
    const loader = new Loader(dataset, { batchSize: 32, seed: round, workers: 2 });
    const batches = loader.batches(0);
    const first = batches.next();
    if (round > 1) await first;
    const end = round > 1 ? expect(first).resolves.toBeDefined() : expect(first).rejects.toThrow(/an open loader/);
    await loader[Symbol.asyncDispose]();
    await end;
    await expect(loader.verify()).rejects.toThrow(/an open loader/);
  }
});
