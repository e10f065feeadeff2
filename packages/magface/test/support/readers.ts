/** Every reader of files with a whole file to damage, and what it means to read it to the end. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FormatError } from '../../src/errors.ts';
import { type ByteSource, bytesSource } from '../../src/format/byte-source.ts';
import { readFaceRecords, writeFaceRecords } from '../../src/format/face-records.ts';
import { featuresOf } from '../../src/format/feature-reader.ts';
import { createFeatureWriter } from '../../src/format/feature-writer.ts';
import { readMatFile } from '../../src/format/mat-file.ts';
import { recordsOf } from '../../src/format/record-file.ts';
import { openSafetensors } from '../../src/format/safetensors.ts';
import { createTarWriter, openTarShard } from '../../src/format/tar-shard.ts';
import { float32Tensor, type TensorFile } from '../../src/format/tensor.ts';
import { openTorch } from '../../src/format/torch-file.ts';
import { writeTorch } from '../../src/format/torch-writer.ts';
import { openVerificationBin, writeVerificationBin } from '../../src/format/verification-bin.ts';
import { tensorsIn } from '../../src/graph/onnx/external.ts';
import { readOnnx } from '../../src/graph/onnx/file.ts';
import { tensorOf } from '../../src/graph/onnx/tensor.ts';
import { fileReaders } from './file-readers.ts';
import { fixtureBytes } from './fixtures.ts';
import { legacyFile, tensorOf as legacyTensor, storage } from './legacy-torch.ts';
import { shared } from './shared.ts';
import { tinyOnnx } from './tiny-onnx.ts';

export interface ReaderUnderTest {
  readonly name: string;
  /** The whole file. */
  readonly bytes: Buffer;
  /** Reads all that there is. */
  readonly readAll: (source: ByteSource) => Promise<unknown>;
  /** Whether an error says of a file what is wrong with it. @default a FormatError with file and byte */
  readonly refuses?: (error: unknown) => boolean;
}

/** Whether a damaged file was refused as it should be. */
export const isRefusal = ({ refuses }: ReaderUnderTest, error: unknown): boolean =>
  refuses?.(error) ?? (error instanceof FormatError && error.file.includes('.') && error.offset !== undefined);

/** A tensor of strings is no damage: it is refused, by its name, only where its numbers are asked for. */
const refusesModel = (error: unknown): boolean =>
  error instanceof FormatError && (error.offset !== undefined || error.message.includes('received type 8'));

/** Real files where they are on this machine, our own everywhere. */
export async function readersUnderTest(): Promise<ReaderUnderTest[]> {
  const folder = mkdtempSync(join(tmpdir(), 'readers-'));
  try {
    return [...(await ownFiles(folder)), ...(await fileReaders(folder)), ...realFiles()];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function ownFiles(folder: string): Promise<ReaderUnderTest[]> {
  const image = (size: number): Buffer => Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i * 31) & 255));
  const own = async (
    name: string,
    write: (path: string) => Promise<unknown>,
    readAll: ReaderUnderTest['readAll'],
  ): Promise<ReaderUnderTest> => {
    await write(join(folder, name));
    return { name, bytes: readFileSync(join(folder, name)), readAll };
  };
  const features = (path: string) => writeFeatures(path);
  const people = [[image(900), image(50)], [image(301)]];
  const index = async (path: string): Promise<void> =>
    void (await writeFaceRecords(path.replace('.idx', '.rec'), people));
  const result = [
    await own('f.list', features, readFeatures),
    await own('f.npy', features, readFeatures),
    await own('f.safetensors', features, readFeatures),
    await own('f.jsonl', features, readFeatures),
    await own('t.safetensors', features, (source) => openSafetensors(source).then(readTensors)),
    await own('zip.pth', writeCheckpoint, (source) => openTorch(source).then(readTensors)),
    await own('legacy.pth', writeLegacy, (source) => openTorch(source).then(readTensors)),
    await own(
      'a.rec',
      (path) => writeFaceRecords(path, people),
      (source) => readRecords(source),
    ),
    await own('a.tar', writeTar, readTar),
    { ...(await own('a.onnx', (path) => writeFile(path, tinyOnnx()), readModel)), refuses: refusesModel },
    await own('a.bin', (path) => writeVerificationBin(path, [{ images: [image(500), image(9)], same: true }]), readBin),
  ];
  const lists = (name: string, path: string, readAll: ReaderUnderTest['readAll']): ReaderUnderTest => ({
    name,
    bytes: fixtureBytes(path),
    readAll,
  });
  result.push(
    lists('compressed.mat', 'tinyface/gallery_match_img_ID_pairs.mat', readMatFile),
    lists('plain.mat', 'tinyface/probe_img_ID_pairs.mat', readMatFile),
  );
  const records = result.find(({ name }) => name === 'a.rec')!.bytes;
  return [...result, await own('a.idx', index, (source) => readRecords(bytesSource(records, 'a.rec'), source))];
}

function realFiles(): ReaderUnderTest[] {
  const real = (path: string, readAll: ReaderUnderTest['readAll']): ReaderUnderTest[] =>
    existsSync(shared(path)) ? [{ name: path.replace(/.*\//, ''), bytes: readFileSync(shared(path)), readAll }] : [];
  return [
    ...real('formats/pth/foamliu_mobilefacenet_delldu.pth', (source) => openTorch(source).then(readTensors)),
    ...real('formats/mxnet/adaface_demo_train.rec', (source) => readRecords(source)),
    ...real('golden/toy/feat.list', readFeatures),
    ...real('models/foamliu_mobilefacenet.onnx', readModel).map((one) => ({ ...one, refuses: refusesModel })),
  ];
}

async function writeFeatures(path: string): Promise<void> {
  const writer = await createFeatureWriter(path);
  for (let i = 0; i < 20; i++)
    await writer.write(
      `img/${i}.jpg`,
      Float32Array.from({ length: 32 }, (_, k) => Math.sin(i * k)),
    );
  await writer.close();
}

async function writeCheckpoint(path: string): Promise<void> {
  const tensor = (size: number) => float32Tensor([size, 4], new Float32Array(4 * size).fill(0.5));
  const names = Array.from({ length: 20 }, (_, i) => [`module.features.layer${i}.weight`, tensor(i)] as const);
  await writeTorch(path, {
    epoch: 1,
    arch: 'a',
    state_dict: new Map(names),
    lr: [0.1, null, true],
    optimizer: { state: {} },
  });
}

/** Two views of one storage. */
function writeLegacy(path: string): Promise<void> {
  const view = (offset: number, shape: string, strides: string) =>
    legacyTensor(storage('7', 6), offset, shape, strides);
  const dict = `}(U\x01t${view(0, 'K\x03K\x02', 'K\x01K\x03')}U\x01r${view(3, 'K\x03', 'K\x01')}u`;
  return writeFile(path, legacyFile(dict, [['7', Float32Array.of(0, 1, 2, 3, 4, 5)]]));
}

async function writeTar(path: string): Promise<void> {
  const writer = await createTarWriter(path);
  for (let i = 0; i < 5; i++) await writer.write(`${'d/'.repeat(i * 20)}${i}.jpg`, Buffer.alloc(100 * i, i));
  await writer.close();
}

async function readFeatures(source: ByteSource): Promise<void> {
  for await (const { values } of (await featuresOf(source)).blocks) values.length;
}

async function readTensors(file: TensorFile): Promise<void> {
  for (const name of file.tensors.keys()) await file.read(name);
}

async function readModel(source: ByteSource): Promise<void> {
  const { graph } = await readOnnx(source);
  for (const tensor of tensorsIn(graph!)) tensorOf(tensor, source.file);
}

async function readRecords(source: ByteSource, index?: ByteSource): Promise<void> {
  const file = recordsOf(source, index);
  readFaceRecords(file);
  for (const key of file.keys) await file.read(key);
}

async function readTar(source: ByteSource): Promise<void> {
  const shard = await openTarShard(source);
  for (const { files } of shard.samples) for (const entry of files.values()) await shard.read(entry);
}

async function readBin(source: ByteSource): Promise<void> {
  const bin = await openVerificationBin(source);
  for (let i = 0; i < 2 * bin.same.length; i++) await bin.readImage(i);
}
