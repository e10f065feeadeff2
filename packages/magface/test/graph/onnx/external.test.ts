import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FormatError } from '../../../src/errors.ts';
import { openBytes } from '../../../src/format/byte-source.ts';
import { parseOnnx, readOnnx } from '../../../src/graph/onnx/file.ts';
import { ModelProtoSchema, StringStringEntryProtoSchema } from '../../../src/graph/onnx/onnx_pb.ts';
import { tensorOf } from '../../../src/graph/onnx/tensor.ts';
import { loadModel } from '../../../src/models/load-model.ts';
import { node, onnxGraph, wave } from '../../support/onnx-graphs.ts';

let folder: string;
let outside: string;

afterEach(() => rmSync(outside, { recursive: true, force: true }));

beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), 'magface external '));
  writeFileSync(join(outside, 'secret'), new Uint8Array(64));
  folder = join(outside, 'model');
  mkdirSync(join(folder, 'parts'), { recursive: true });
  const bytes = new Uint8Array(64);
  bytes.set(new Uint8Array(wave([4]).data.buffer), 16);
  writeFileSync(join(folder, 'parts/w.bin'), bytes);
});

/** A model whose weight (4) lies where these entries say. */
function write(entries: Readonly<Record<string, string>>): string {
  const bytes = onnxGraph({
    nodes: [node('Flatten input -> a'), node('Mul a w -> output')],
    weights: { w: wave([4]) },
    input: [1, 4],
    output: [1, 4],
  });
  const model = parseOnnx(bytes, 'small');
  const externalData = Object.entries(entries).map(([key, value]) =>
    create(StringStringEntryProtoSchema, { key, value }),
  );
  Object.assign(model.graph!.initializer[0]!, { rawData: new Uint8Array(), dataLocation: 1, externalData });
  const file = join(folder, 'm.onnx');
  writeFileSync(file, toBinary(ModelProtoSchema, model));
  return file;
}

const read = async (file: string) => {
  const source = await openBytes(file);
  try {
    return await readOnnx(source);
  } finally {
    await source.close();
  }
};

test('a range of a file in the folder is read, and the model needs it no more', async () => {
  const { graph } = await read(write({ location: 'parts/w.bin', offset: '16', length: '16' }));
  expect(tensorOf(graph!.initializer[0]!)).toEqual(wave([4]));
  expect(graph!.initializer[0]!.externalData).toEqual([]);
});

test('a recogniser with its weights beside it loads, known by what both files hold', async () => {
  const file = write({ location: 'parts/w.bin', offset: '16', length: '16' });
  const describe = { input: { width: 112, height: 112, channelOrder: 'RGB', mean: [0, 0, 0], scale: [1, 1, 1] } };
  const before = await loadModel(file, { describe });
  const changed = new Uint8Array(64).fill(1);
  writeFileSync(join(folder, 'parts/w.bin'), changed);
  expect((await loadModel(file, { describe })).digest).not.toBe(before.digest);
});

test.each([
  ['the folder above', { location: '../secret' }, /"\.\.\/secret", outside that folder/],
  ['a way down and up again', { location: 'parts/../../secret' }, /outside that folder/],
  ['an absolute path', { location: '/etc/passwd' }, /outside that folder/],
  ['a drive', { location: 'C:\\secret' }, /outside that folder/],
  ['backslashes upwards', { location: '..\\secret' }, /outside that folder/],
  ['nothing', {}, /"", outside that folder/],
  ['a link out of the folder', { location: 'link' }, /a link out of that folder/],
  ['a missing file', { location: 'gone.bin' }, /which is missing: keep the two files together/],
  ['a range beyond the end', { location: 'parts/w.bin', offset: '60', length: '16' }, /ends at byte 64/],
  ['a range that is no number', { location: 'parts/w.bin', offset: '-1' }, /a whole number for offset/],
  ['a length beyond numbers', { location: 'parts/w.bin', length: '99999999999999999999' }, /a whole number for length/],
  [
    'too few values',
    { location: 'parts/w.bin', offset: '16', length: '8' },
    /16 bytes for \(4\) float32 in the tensor "w" but received 8/,
  ],
])('%s is refused', async (_, entries, message) => {
  symlinkSync(join(folder, '../secret'), join(folder, 'link'));
  const error: unknown = await read(write(entries)).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(FormatError);
  expect((error as FormatError).message).toMatch(message);
  expect((error as FormatError).offset).toBeDefined();
});
