import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import { convertFaces } from '../../src/format/convert-faces.ts';
import { convertTensors } from '../../src/format/convert-tensors.ts';
import { openSafetensors, writeSafetensors } from '../../src/format/safetensors.ts';
import { openTarShard } from '../../src/format/tar-shard.ts';
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

test('an official .pth becomes .safetensors with its names, and a training checkpoint an official .pth', async () => {
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

test('a folder a person becomes train.rec, that a folder and a list again, every byte kept', async () => {
  const jpeg = (text: string): Buffer => Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.from(text)]);
  for (const [person, name] of [
    ['ann', 'a.jpg'],
    ['ann', 'b.jpg'],
    ['bob', 'c.jpg'],
  ] as const) {
    mkdirSync(at(`in/${person}`), { recursive: true });
    writeFileSync(at(`in/${person}/${name}`), jpeg(name));
  }
  expect(await convertFaces(at('in'), at('train.rec'))).toBe(3);
  expect(await convertFaces(at('train.rec'), at('out'))).toBe(3);
  const list = '00000/1.jpg 0 0 0\n00000/2.jpg 0 0 0\n00001/3.jpg 0 1 0\n';
  expect(readFileSync(at('out/train.list'), 'utf8')).toBe(list);
  expect(readFileSync(at('out/00001/3.jpg')).equals(jpeg('c.jpg'))).toBe(true);

  expect(await convertFaces(at('train.rec'), at('train.tar'))).toBe(3);
  const shard = await openTarShard(at('train.tar'));
  expect(shard.readSync(shard.samples[2]!.files.get('cls')!).toString()).toBe('1');
  expect(shard.readSync(shard.samples[2]!.files.get('jpg')!).equals(jpeg('c.jpg'))).toBe(true);
  await shard.close();
});

test('refuses what it cannot write', async () => {
  mkdirSync(at('empty'));
  await expect(convertFaces(at('empty'), at('a.rec'))).rejects.toThrow('Expected a folder for each person');
  await expect(convertFaces(at('empty'), at('a.zip'))).rejects.toThrow(ConfigError);
  await writeTorch(at('a.pth'), { w: one });
  await expect(convertTensors(at('a.pth'), at('a.bin'))).rejects.toThrow(ConfigError);
});
