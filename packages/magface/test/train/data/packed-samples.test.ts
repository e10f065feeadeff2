import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { FormatError } from '../../../src/errors.ts';
import { readPackedFile } from '../../../src/format/packed-image.ts';
import { createRecordWriter } from '../../../src/format/record-file.ts';
import { createTarWriter } from '../../../src/format/tar-shard.ts';
import { convertFaces } from '../../../src/train/data/convert-faces.ts';
import { readDataset, readDatasets } from '../../../src/train/data/dataset.ts';
import { Loader } from '../../../src/train/data/loader.ts';
import { train } from '../../../src/train/loop/run.ts';
import { parseTrainConfig } from '../../../src/train/settings/config.ts';
import { fixtureFile } from '../../support/fixtures.ts';
import { describeTraining } from '../golden.ts';
import { jpeg, smallSet, temporaryFolder, tinyRun } from '../small-set.ts';

/** Shards of `each` samples, as webdataset's writer names them. */
async function writeShards(folder: string, into: string, each: number): Promise<void> {
  const { samples } = readDataset(folder);
  for (let start = 0; start < samples.length; start += each) {
    const tar = await createTarWriter(join(into, `faces-${String(start / each).padStart(3, '0')}.tar`));
    for (let i = start; i < Math.min(samples.length, start + each); i++) {
      const { path, label } = samples.at(i)!;
      await tar.write(`${String(i).padStart(6, '0')}.cls`, Buffer.from(String(label)));
      await tar.write(`${String(i).padStart(6, '0')}.jpg`, readFileSync(path));
    }
    await tar.close();
  }
}

async function batchesOf(source: string, workers: number): Promise<string[]> {
  await using loader = new Loader(readDataset(source), { batchSize: 4, seed: 5, workers });
  const seen: string[] = [];
  for await (const { faces, labels, indices } of loader.batches(2)) {
    seen.push(`${labels} ${indices} ${Buffer.from(faces).toString('base64')}`);
  }
  return seen;
}

describe('the same faces as a folder, a .rec and tar shards', () => {
  let folder: string;
  let packed: string;
  beforeAll(async () => {
    folder = smallSet(4, 3);
    packed = temporaryFolder();
    await convertFaces(folder, join(packed, 'train.rec'));
    await writeShards(folder, packed, 5);
    execFileSync('tar', ['cf', join(packed, 'plain.tgz'), '-C', folder, ...readdirSync(folder)]);
    mkdirSync(join(packed, 'plain'));
    renameSync(join(packed, 'plain.tgz'), join(packed, 'plain', 'people.tar'));
  });

  test.each([
    ['train.rec', 'train.rec:1'],
    ['faces-{000..002}.tar', 'faces-000.tar:000000.jpg'],
    ['faces-*.tar', 'faces-000.tar:000000.jpg'],
    ['plain', 'plain/people.tar:person 0/0.jpg'],
  ])("%s gives the folder's batches, bit for bit, with and without workers", async (name, first) => {
    const source = join(packed, name);
    const dataset = readDataset(source);
    expect(dataset.samples.length).toBe(12);
    expect(dataset.classes).toBe(4);
    expect(dataset.samples.at(0)).toMatchObject({ path: join(packed, first), label: 0 });
    expect(readPackedFile(dataset.samples.at(0)!.within!).equals(jpeg('0 0'))).toBe(true);
    const expected = await batchesOf(folder, 0);
    expect(expected).toHaveLength(3);
    expect(await batchesOf(source, 0)).toEqual(expected);
    expect(await batchesOf(source, 2)).toEqual(expected);
  });

  test('joins sources, and treats shards of one folder as one, also if a shell expanded them', () => {
    const shards = [0, 1, 2].map((i) => join(packed, `faces-00${i}.tar`));
    const { samples, classes } = readDatasets([folder, ...shards, join(packed, 'train.rec')]);
    expect(classes).toBe(12);
    expect(Array.from(samples, ({ label }) => label)).toEqual(
      Array.from({ length: 36 }, (_, i) => 4 * Math.floor(i / 12) + Math.floor((i % 12) / 3)),
    );
    expect(samples.at(12)!.path).toBe(`${shards[0]}:000000.jpg`);
    expect(samples.at(36)).toBeUndefined();
  });

  test('uses the .rec in a folder instead of the folder', () => {
    const alone = temporaryFolder();
    for (const ending of ['rec', 'idx']) {
      writeFileSync(join(alone, `train.${ending}`), readFileSync(join(packed, `train.${ending}`)));
    }
    expect(readDataset(alone).samples.at(0)!.path).toBe(join(alone, 'train.rec:1'));
  });

  describeTraining('training on them', () => {
    test('gives the same losses', async () => {
      const lossesOf = async (trainList: string): Promise<number[]> => {
        const losses: number[] = [];
        const config = parseTrainConfig({ ...tinyRun, epochs: 1, trainList, output: temporaryFolder() });
        await train(config, { onStep: (_, __, { loss }) => void losses.push(loss) });
        return losses;
      };
      const expected = await lossesOf(folder);
      expect(expected).toHaveLength(3);
      expect(await lossesOf(join(packed, 'train.rec'))).toEqual(expected);
      expect(await lossesOf(join(packed, 'faces-{000..002}.tar'))).toEqual(expected);
    });
  });
});

/** The same image with RecordIO's magic number behind it, at a multiple of four, where records are cut. */
const inTwoParts = (image: Buffer): Buffer =>
  Buffer.concat([image, Buffer.alloc((4 - (image.length % 4)) % 4), Buffer.from('0a23d7ce', 'hex')]);

test('names, counts and replaces a damaged record, and lists it in verify', async () => {
  const folder = temporaryFolder();
  const writer = await createRecordWriter(join(folder, 'a.rec'));
  for (let key = 0; key < 120; key++) {
    const image = key === 7 ? Buffer.from('no image') : key === 9 ? inTwoParts(jpeg('9')) : jpeg(String(key % 3));
    await writer.write(key, { labels: key % 2 === 0 ? [30] : [10, 1, 2], id: key, id2: 0, image });
  }
  await writer.close();
  const source = join(folder, 'a.rec');
  const dataset = readDataset(source);
  expect(dataset.classes).toBe(2); // the labels 10 and 30, counted anew
  expect([dataset.samples.at(0)!.label, dataset.samples.at(1)!.label]).toEqual([1, 0]);
  expect(readPackedFile(dataset.samples.at(9)!.within!).equals(inTwoParts(jpeg('9')))).toBe(true);
  const named: string[] = [];
  const onUnreadable = (path: string) => named.push(path);
  await using loader = new Loader(dataset, { batchSize: 10, seed: 1, workers: 1, onUnreadable });
  for await (const { indices } of loader.batches(0)) expect([...indices]).not.toContain(7);
  expect(named).toEqual([`${source}:7`]);
  expect((await loader.verify()).map(({ path }) => path)).toEqual([`${source}:7`]);

  const bytes = readFileSync(source);
  for (const index of [3, 5]) bytes.writeUInt32LE(0, dataset.samples.at(index)!.within!.offset);
  writeFileSync(source, bytes);
  const bad = await loader.verify();
  expect(bad.map(({ path }) => path)).toEqual([`${source}:3`, `${source}:5`, `${source}:7`]);
  expect(bad[0]!.reason).toContain('Expected the start of a record');
});

describe('wrong sources are reported before the first step', () => {
  const shard = async (files: Readonly<Record<string, string | Buffer>>): Promise<string> => {
    const file = join(temporaryFolder(), 'a.tar');
    const tar = await createTarWriter(file);
    for (const [name, content] of Object.entries(files)) await tar.write(name, Buffer.from(content));
    await tar.close();
    return file;
  };

  test('classes in .json, and invalid ones', async () => {
    const both = { '0.json': '{"label": 3}', '0.jpg': 'x', '1.jpg': 'x', '1.cls': '1\n' };
    expect(Array.from(readDataset(await shard(both)).samples, ({ label }) => label)).toEqual([3, 1]);
    const wrong = await shard({ '0.jpg': 'x', '0.cls': '-1' });
    expect(() => readDataset(wrong)).toThrow(FormatError);
    expect(() => readDataset(wrong)).toThrow(/class of 0.jpg, a whole number from 0, in 0.cls/);
    const none = await shard({ '0.jpg': 'x', '1.jpg': 'x', '1.cls': '1' });
    expect(() => readDataset(none)).toThrow(/but some have none/);
    const empty = await shard({ '0.cls': '1' });
    expect(() => readDataset(empty)).toThrow(/found none/);
  });

  test('missing shards', async () => {
    const file = await shard({ '0.jpg': 'x', '0.cls': '0' });
    expect(() => readDataset(file.replace('a.tar', '{a,b}.tar'))).toThrow(/b\.tar does not exist/);
    expect(() => readDataset(file.replace('a.tar', 'z*.tar'))).toThrow(/z\*\.tar does not exist/);
    expect(() => readDataset(file.replace('a.tar', '{9..1}.tar'))).toThrow(/rising numbers/);
  });
});

test('reads a .rec written by MXNet in place', async () => {
  const dataset = readDataset(fixtureFile('records/faces.rec'));
  expect([dataset.classes, dataset.samples.length]).toEqual([2, 6]);
  await using loader = new Loader(dataset, { batchSize: 6, seed: 1, workers: 1 });
  expect(await loader.verify()).toEqual([]);
});
