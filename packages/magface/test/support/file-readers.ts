/** Readers that take a path: lists, settings, records of models, checkpoints, images; each with a whole file to damage. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSuite } from '../../src/cli/evaluate/suite-config.ts';
import { findImages } from '../../src/cli/inputs.ts';
import { readYaml } from '../../src/cli/yaml-file.ts';
import { ConfigError, FormatError, ImageError, ModelError } from '../../src/errors.ts';
import type { FeatureSet } from '../../src/eval/feature-set.ts';
import { readFaceTemplates, readTemplatePairs, readTemplateSubjects } from '../../src/eval/ijb-files.ts';
import { readCfpPairs } from '../../src/eval/layouts/cfp.ts';
import { readPairList } from '../../src/eval/pair-list.ts';
import { readQualities } from '../../src/eval/quality-file.ts';
import { type ByteSource, openBytes } from '../../src/format/byte-source.ts';
import { featuresOf } from '../../src/format/feature-reader.ts';
import { createFeatureWriter } from '../../src/format/feature-writer.ts';
import { readyToRun } from '../../src/graph/onnx/file.ts';
import { readImage } from '../../src/infer/node/read-image.ts';
import { parseContract } from '../../src/models/contract.ts';
import { loadModel } from '../../src/models/load-model.ts';
import { parseRegistry } from '../../src/models/registry.ts';
import { readDataset } from '../../src/train/data/dataset.ts';
import { readCheckpoint, writeCheckpoint } from '../../src/train/loop/checkpoint-file.ts';
import { parseTrainConfig } from '../../src/train/settings/config.ts';
import { pngFile } from './png.ts';
import type { ReaderUnderTest } from './readers.ts';
import { samplePhoto } from './sample-photos.ts';
import { tinyOnnx, tinyRecord } from './tiny-onnx.ts';

type Kind = typeof FormatError | typeof ConfigError | typeof ImageError | typeof ModelError;

/** @param kinds - of errors that refuse a damaged file; a FormatError must say where */
const isOneOf =
  (...kinds: readonly Kind[]) =>
  (error: unknown): boolean =>
    kinds.some((kind) => error instanceof kind) && !(error instanceof FormatError && error.offset === undefined);

/** A reader of paths as one of bytes: they are written where it will look. */
const onDisk =
  (name: string, read: (path: string) => unknown): ReaderUnderTest['readAll'] =>
  async (source: ByteSource) => {
    const folder = mkdtempSync(join(tmpdir(), 'damaged-'));
    try {
      writeFileSync(join(folder, name), await source.read(0, source.size));
      await read(join(folder, name));
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

export async function fileReaders(folder: string): Promise<ReaderUnderTest[]> {
  const reader = (
    name: string,
    content: string | Uint8Array,
    read: (path: string) => unknown,
    ...kinds: readonly Kind[]
  ): ReaderUnderTest => ({
    name,
    bytes: Buffer.from(content),
    readAll: onDisk(name, read),
    ...(kinds.length > 0 ? { refuses: isOneOf(...kinds) } : {}),
  });
  const lines = (count: number, line: (i: number) => string): string =>
    Array.from({ length: count }, (_, i) => `${line(i)}\n`).join('');
  const features = {
    values: new Float32Array(40),
    dimension: 2,
    names: Array.from({ length: 20 }, (_, i) => `${i}.jpg`),
  };
  const checkpoint = join(folder, 'checkpoint.safetensors');
  await writeCheckpoint(checkpoint, { tensors: new Map(), state: { epoch: 1, step: 2 } });
  return [
    reader(
      'official-pairs.list',
      lines(20, (i) => `${i}.jpg ${i + 1}.jpg ${i % 2}`),
      readPairList,
    ),
    reader(
      'table-pairs.csv',
      `left,right,same,age\n${lines(20, (i) => `${i}.jpg,${i + 1}.jpg,${i % 2},old`)}`,
      readPairList,
    ),
    reader('lfw-pairs.txt', `10 2\n${lines(20, (i) => (i % 2 ? `Ann ${i} 2` : `Ann ${i} Bob 3`))}`, readPairList),
    reader(
      'cplfw-pairs.txt',
      lines(20, (i) => `${i}.jpg ${(i >> 1) % 2}`),
      readPairList,
    ),
    reader(
      'cfp.txt',
      lines(20, (i) => `${i + 1} ../Data/${i}.jpg`),
      readCfp,
    ),
    reader('quality.csv', `name,ours,theirs\n${lines(20, (i) => `${i}.jpg,${i / 7},${-i}`)}`, (path) =>
      readQualities(path, features),
    ),
    reader(
      'quality.txt',
      lines(20, (i) => `${i}.jpg ${i / 7}`),
      (path) => readQualities(path, features),
    ),
    reader(
      'ijb-faces.txt',
      lines(20, (i) => `${i}.jpg ${i} ${i * 3}`),
      readFaceTemplates,
    ),
    reader(
      'ijb-pairs.txt',
      lines(20, (i) => `${i} ${i * 3} ${i % 2}`),
      readTemplatePairs,
    ),
    reader(
      'ijb-gallery.csv',
      `TEMPLATE_ID,SUBJECT_ID,FILENAME\n${lines(20, (i) => `${i},${i % 5},${i}.jpg`)}`,
      readTemplateSubjects,
    ),
    reader(
      'images.list',
      lines(20, (i) => `img/${i}.jpg 0 ${i} 0`),
      readImageList,
      ConfigError,
    ),
    reader(
      'train.list',
      lines(20, (i) => `/img/a ${i}.jpg 0 ${i} 0`),
      (path) => readDataset(path),
      FormatError,
      ConfigError,
    ),
    reader(
      'train.yaml',
      'trainList: [faces.list]\noutput: run\narch: iresnet18\nlr: 0.3\nlrDropEpoch: [10, 18]\nbatchSize: 32\nflip: false\n',
      readSettings,
      ConfigError,
    ),
    reader(
      'suite.yaml',
      'output: out\nmodels: [a.onnx, { name: b, model: b.onnx }]\nsets: [lfw.bin]\n',
      readSuite,
      ConfigError,
    ),
    reader('record.yaml', JSON.stringify(tinyRecord(), undefined, 1), readRecord, ConfigError, ModelError),
    reader('models.json', readFileSync(new URL('../../models.json', import.meta.url)), readModelList),
    {
      ...reader('record.onnx', tinyOnnx(112, calibratedRecord), readModel),
      // Read as protobuf it has tensors and no offsets: those that are wrong are named.
      refuses: (error) =>
        error instanceof ModelError ||
        (error instanceof FormatError && (error.offset !== undefined || error.message.includes('in the tensor "'))),
    },
    reader(
      'f.names.txt',
      lines(20, (i) => `${i}.jpg`),
      (path) => readNames(path, features),
    ),
    {
      ...reader('checkpoint.safetensors', readFileSync(checkpoint), readCheckpoint),
      refuses: (error) => error instanceof FormatError, // a digest tells that a byte differs, not which
    },
    reader(
      'a.png',
      pngFile({ width: 16, height: 16, kind: [8, 2], rows: Buffer.alloc(16 * 49) }),
      readImage,
      ImageError,
    ),
    reader('a.jpg', readFileSync(samplePhoto(1)), readImage, ImageError),
  ];
}

const calibratedRecord = {
  ...tinyRecord(),
  calibration: { centre: 22, width: 3, source: '100 faces' },
  thresholds: [{ fmr: 1e-3, threshold: 0.3, set: '6000 pairs' }],
};

async function readModel(path: string): Promise<void> {
  const { bytes } = await loadModel(path, { offline: true });
  readyToRun(bytes, path);
}

async function readCfp(path: string): Promise<void> {
  const { mkdir, writeFile, copyFile } = await import('node:fs/promises');
  const root = join(path, '..');
  const fold = join(root, 'Protocol/Split/FF/01');
  await mkdir(fold, { recursive: true });
  await copyFile(path, join(root, 'Protocol/Pair_list_F.txt'));
  for (const name of ['same.txt', 'diff.txt']) await writeFile(join(fold, name), '1,2\n3,4\n');
  await readCfpPairs(root, 'ff');
}

/** The names beside a whole `.npy`. */
async function readNames(path: string, { values, dimension, names }: Required<FeatureSet>): Promise<void> {
  const npy = path.replace('.names.txt', '.npy');
  const text = readFileSync(path);
  const writer = await createFeatureWriter(npy);
  for (const [row, name] of names.entries())
    await writer.write(name, values.subarray(row * dimension, (row + 1) * dimension));
  await writer.close();
  writeFileSync(path, text);
  const source = await openBytes(npy);
  try {
    for await (const block of (await featuresOf(source)).blocks) block.names;
  } finally {
    await source.close();
  }
}

const readImageList = (path: string): Promise<unknown> =>
  findImages([], { list: [path], stdin: process.stdin, signal: new AbortController().signal });

const yaml = { key: 'file', what: 'settings', see: 'the manual' };

const readSettings = async (path: string): Promise<unknown> => parseTrainConfig(await readYaml(path, yaml));

const readRecord = async (path: string): Promise<unknown> => parseContract(await readYaml(path, yaml), path);

const readModelList = (path: string): unknown => parseRegistry(readFileSync(path, 'utf8'), path);
