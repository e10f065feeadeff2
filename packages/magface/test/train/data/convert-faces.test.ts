import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeEach, expect, test } from 'vitest';
import { ConfigError, ImageError } from '../../../src/errors.ts';
import { createTarWriter, openTarShard } from '../../../src/format/tar-shard.ts';
import { convertFaces } from '../../../src/train/data/convert-faces.ts';
import { readDataset } from '../../../src/train/data/dataset.ts';
import { Loader } from '../../../src/train/data/loader.ts';
import { temporaryFolder } from '../small-set.ts';

let folder: string;
const at = (name: string): string => join(folder, name);
const jpeg = (text: string): Buffer => Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.from(text)]);
beforeEach(() => {
  folder = temporaryFolder();
  for (const name of ['ann/a.jpg', 'ann/b.jpg', 'bob/c.jpg']) {
    mkdirSync(at(`in/${name.slice(0, 3)}`), { recursive: true });
    writeFileSync(at(`in/${name}`), jpeg(name.slice(4)));
  }
});

test('converts a folder per person to train.rec, and that to a folder and list, keeping every byte', async () => {
  expect(await convertFaces(at('in'), at('train.rec'))).toBe(3);
  expect(await convertFaces(at('train.rec'), at('out'))).toBe(3);
  const list = '00000/1.jpg 0 0 0\n00000/2.jpg 0 0 0\n00001/3.jpg 0 1 0\n';
  expect(readFileSync(at('out/train.list'), 'utf8')).toBe(list);
  expect(readFileSync(at('out/00001/3.jpg')).equals(jpeg('c.jpg'))).toBe(true);
  expect(await convertFaces(at('out/train.list'), at('again.rec'))).toBe(3);
  expect(readFileSync(at('again.rec')).equals(readFileSync(at('train.rec')))).toBe(true);
  expect(await convertFaces(at('out'), at('again.rec'))).toBe(3);
  expect(readFileSync(at('again.idx')).equals(readFileSync(at('train.idx')))).toBe(true);
});

test('converts to tar shards of a given size, and back to one .rec', async () => {
  expect(await convertFaces(at('in'), at('train.rec'))).toBe(3);
  expect(await convertFaces(at('train.rec'), at('faces.tar'), { shardSize: 2 })).toBe(3);
  const shard = await openTarShard(at('faces-000001.tar'));
  expect(shard.readSync(shard.samples[0]!.files.get('cls')!).toString()).toBe('1');
  expect(shard.readSync(shard.samples[0]!.files.get('jpg')!).equals(jpeg('c.jpg'))).toBe(true);
  await shard.close();
  expect(await convertFaces(at('faces-{000000..000001}.tar'), at('again.rec'))).toBe(3);
  expect(readFileSync(at('again.rec')).equals(readFileSync(at('train.rec')))).toBe(true);
});

test('keeps every label of an unordered list with an empty class', async () => {
  writeFileSync(at('mixed.list'), 'bob/c.jpg 0 2 0\nann/a.jpg 0 0 0\nann/b.jpg 0 2 0\n');
  expect(await convertFaces(at('mixed.list'), at('mixed.rec'), { root: at('in') })).toBe(3);
  const { samples, classes } = readDataset(at('mixed.rec'));
  expect([classes, ...Array.from(samples, ({ label }) => label)]).toEqual([3, 0, 2, 2]);
});

test('lets no name escape the folder, hide a file or break the list', async () => {
  const tar = await createTarWriter(at('evil.tar'));
  const names = ['../../up', '/etc/passwd', '.hidden', 'a b\nc', 'x/same', 'y/same', 'é', 'con:1'];
  for (const [i, name] of names.entries()) {
    await tar.write(`${name}.jpg`, jpeg(String(i)));
    await tar.write(`${name}.cls`, Buffer.from('0'));
  }
  await tar.close();
  const before = readdirSync(folder);
  expect(await convertFaces(at('evil.tar'), at('out'))).toBe(names.length - 1); // hidden files are no samples
  expect(readdirSync(folder).filter((name) => !before.includes(name))).toEqual(['out']);
  const written = readdirSync(at('out/00000')).sort();
  expect(written).toEqual(['a_b_c.jpg', 'con_1.jpg', 'passwd.jpg', 'same-2.jpg', 'same.jpg', 'up.jpg', 'é.jpg']);
  expect(readFileSync(at('out/train.list'), 'utf8').split('\n')).toHaveLength(written.length + 1);
});

test('sorts a hundred thousand people like their classes', async () => {
  writeFileSync(at('many.list'), 'ann/a.jpg 0 100000 0\nbob/c.jpg 0 2 0\n');
  await convertFaces(at('many.list'), at('out'), { root: at('in') });
  expect(readFileSync(at('out/train.list'), 'utf8')).toBe('000002/c.jpg 0 2 0\n100000/a.jpg 0 100000 0\n');
});

test.each(['set.tar', 'set'])('returns every readable kind of image, and a damaged one, from %s', async (name) => {
  const plain = sharp({ create: { width: 112, height: 112, channels: 3, background: 'red' } });
  const kinds = ['jpeg', 'png', 'webp', 'avif', 'tiff', 'gif'] as const;
  const images = await Promise.all(kinds.map((kind) => plain.clone().toFormat(kind).toBuffer()));
  mkdirSync(at('kinds/eve'), { recursive: true });
  for (const [i, kind] of kinds.entries()) writeFileSync(at(`kinds/eve/${i}.${kind}`), images[i]!);
  writeFileSync(at('kinds/eve/6.TIF'), 'damaged');
  expect(await convertFaces(at('kinds'), at('packed.rec'))).toBe(7);
  expect(await convertFaces(at('kinds'), at(name))).toBe(7);
  const { samples } = readDataset(at(name));
  const endings = ['jpg', 'png', 'webp', 'avif', 'tiff', 'gif', 'tif'];
  expect(Array.from(samples, ({ path }) => path.replace(/.*\./, ''))).toEqual(endings);
  await using loader = new Loader(readDataset(at(name)), { batchSize: 7, seed: 1, workers: 0 });
  expect((await loader.verify()).map(({ path }) => path)).toEqual([samples.at(6)!.path]);
});

test('names an image of an unreadable kind instead of skipping it', async () => {
  writeFileSync(at('in/bob/d.bmp'), 'BM');
  expect(() => readDataset(at('in'))).toThrow(/JPEG, PNG, .* but .*d\.bmp is of another kind/);
  writeFileSync(at('one.list'), 'bob/d.bmp 0 0 0\n');
  const toTar = convertFaces(at('one.list'), at('a.tar'), { root: at('in') });
  await expect(toTar).rejects.toThrow(ImageError);
  await expect(toTar).rejects.toThrow(/d\.bmp is not one/);
  expect(readdirSync(folder).filter((name) => name.startsWith('a.tar'))).toEqual([]);
  const tar = await createTarWriter(at('old.tar'));
  await tar.write('0.img', jpeg('0'));
  await tar.write('0.cls', Buffer.from('0'));
  await tar.close();
  expect(() => readDataset(at('old.tar'))).toThrow(/old\.tar:0\.img is of another kind/);
});

test('rejects what it cannot write, and leaves no unfinished file', async () => {
  await expect(convertFaces(at('in'), at('a.zip'))).rejects.toThrow(ConfigError);
  mkdirSync(at('empty'));
  await expect(convertFaces(at('empty'), at('a.rec'))).rejects.toThrow('Expected a folder of images for each person');
  writeFileSync(at('lost.list'), 'ann/a.jpg 0 0 0\nlost.jpg 0 1 0\n');
  await expect(convertFaces(at('lost.list'), at('a.rec'), { root: at('in') })).rejects.toThrow(/lost\.jpg/);
  expect(['a.rec', 'a.rec.part', 'a.idx', 'a.idx.part'].filter((name) => existsSync(at(name)))).toEqual([]);
});
