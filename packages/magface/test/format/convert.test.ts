import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConfigError, FormatError } from '../../src/errors.ts';
import { convertFeatures } from '../../src/format/convert-features.ts';
import { convertTensors } from '../../src/format/convert-tensors.ts';
import { createFeatureWriter } from '../../src/format/feature-writer.ts';
import { openSafetensors, writeSafetensors } from '../../src/format/safetensors.ts';
import { float32Tensor, toFloat32 } from '../../src/format/tensor.ts';
import { openTorch } from '../../src/format/torch-file.ts';
import { writeTorch } from '../../src/format/torch-writer.ts';

let folder: string;
const at = (name: string): string => join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'convert-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const one = float32Tensor([1], Float32Array.of(0.5));

test('converts an official .pth to .safetensors with its names, and a training checkpoint to an official .pth', async () => {
  await writeTorch(at('a.pth'), { epoch: 25, arch: 'iresnet18', state_dict: new Map([['module.features.w', one]]) });
  expect(await convertTensors(at('a.pth'), at('a.safetensors'))).toBe(1);
  const file = await openSafetensors(at('a.safetensors'));
  expect([...file.tensors.keys()]).toEqual(['module.features.w']);
  expect(file.metadata).toEqual({ format: 'pt', arch: 'iresnet18', epoch: '25' });
  await file.close();

  const tensors = new Map([
    ['features.w', one],
    ['fc.weight', one],
    ['optimizer.w', one],
  ]);
  const state = JSON.stringify({ arch: 'iresnet50', epoch: 3 });
  await writeSafetensors(at('ours.safetensors'), tensors, { 'magface.checkpoint': state });
  expect(await convertTensors(at('ours.safetensors'), at('b.pth'))).toBe(2);
  const back = await openTorch(at('b.pth'));
  expect([...back.tensors.keys()]).toEqual(['state_dict.module.features.w', 'state_dict.module.fc.weight']);
  expect(toFloat32(await back.read('state_dict.module.fc.weight'))).toEqual(Float32Array.of(0.5));
  expect((back.value as Map<string, unknown>).get('arch')).toBe('iresnet50');
  await back.close();
});

test('keeps everything in a .pth, and the optimizer only on request', async () => {
  const shared = new Map([['w', one]]);
  const optimizer = { state: { 0: { momentum_buffer: one } }, param_groups: [{ lr: 0.1, params: [0] }] };
  await writeTorch(at('a.pth'), { epoch: 2, state_dict: shared, optimizer });
  expect(await convertTensors(at('a.pth'), at('b.pth'))).toBe(2);
  expect(await convertTensors(at('b.pth'), at('c.pth'), { optimizer: false })).toBe(1);
  const [b, c] = [await openTorch(at('b.pth')), await openTorch(at('c.pth'))];
  expect([...b.tensors.keys()]).toEqual(['state_dict.w', 'optimizer.state.0.momentum_buffer']);
  expect((b.value as Map<string, Map<string, unknown[]>>).get('optimizer')?.get('param_groups')).toEqual([
    new Map<string, unknown>([
      ['lr', 0.1],
      ['params', [0]],
    ]),
  ]);
  expect([...(c.value as Map<string, unknown>).keys()]).toEqual(['epoch', 'state_dict']);
  await b.close();
  await c.close();
});

test('converts features between all forms, bit for bit', async () => {
  const rows = Array.from({ length: 5 }, (_, i) => Float32Array.of(i / 3, -1e-7 * (i + 1), 1e9 / (i + 1)));
  const writer = await createFeatureWriter(at('0.list'));
  for (const [i, row] of rows.entries()) await writer.write(`a/${i}.jpg`, row);
  await writer.close();
  const chain = ['0.list', '1.npy', '2.safetensors', '3.jsonl', '4.list'];
  for (const [i, to] of chain.slice(1).entries()) expect(await convertFeatures(at(chain[i]!), at(to))).toBe(5);
  expect(readFileSync(at('4.list')).equals(readFileSync(at('0.list')))).toBe(true);

  rmSync(at('1.names.txt'));
  expect(await convertFeatures(at('1.npy'), at('5.jsonl'))).toBe(5);
  expect(JSON.parse(readFileSync(at('5.jsonl'), 'utf8').split('\n')[3]!)).toMatchObject({ image: '3' });
  writeFileSync(at('6.list'), 'a 1 2 3\nb 1 2\n');
  await expect(convertFeatures(at('6.list'), at('6.npy'))).rejects.toThrow(FormatError);
  expect(readdirSync(folder).filter((name) => name.startsWith('6.'))).toEqual(['6.list']);
});

test('rejects what it cannot write', async () => {
  await writeTorch(at('a.pth'), { w: one });
  await expect(convertTensors(at('a.pth'), at('a.bin'))).rejects.toThrow(ConfigError);
  await expect(convertFeatures(at('a.pth'), at('a.txt'))).rejects.toThrow();
});
