import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createFeatureWriter } from '../../src/format/feature-writer.ts';
import { jpeg, smallSet, temporaryFolder } from '../train/small-set.ts';
import { runCli } from './run-cli.ts';

test('a training set survives folder, .rec, shards and folder, and can be trained from in each form', async () => {
  const folder = temporaryFolder();
  const faces = smallSet(2, 3);
  const convert = async (from: string, to: string, ...flags: string[]): Promise<unknown> => {
    const { exitCode, stdout } = await runCli(['convert', from, to, '--json', ...flags], { cwd: folder });
    expect(exitCode).toBe(0);
    return JSON.parse(stdout);
  };
  expect(await convert(faces, 'a.rec')).toEqual({ input: faces, output: 'a.rec', images: 6 });
  await convert('a.rec', 'b.tar', '--shard-size', '4');
  await convert('b-{000000..000001}.tar', 'c');
  expect(readFileSync(join(folder, 'c/00001/000000005.jpg')).equals(jpeg('1 2'))).toBe(true);
  for (const source of ['a.rec', 'b-*.tar', 'c', 'c/train.list']) {
    const result = await runCli(['train', '--train-list', join(folder, source), '--output', 'x', '--verify-data']);
    expect(result.stderr).toContain('6 images of 2 people: 0 cannot be used.');
  }
});

test('features survive .list, .npy and .list', async () => {
  const folder = temporaryFolder();
  const writer = await createFeatureWriter(join(folder, 'f.list'));
  await writer.write('a.jpg', Float32Array.of(1.5, -2));
  await writer.close();
  for (const [from, to] of [
    ['f.list', 'f.npy'],
    ['f.npy', 'f.safetensors'],
    ['f.safetensors', 'g.list'],
  ] as const) {
    const { exitCode, stdout } = await runCli(['convert', from, to], { cwd: folder });
    expect([exitCode, stdout]).toEqual([0, `1 features in ${to}\n`]);
  }
  expect(readFileSync(join(folder, 'g.list'), 'utf8')).toBe(readFileSync(join(folder, 'f.list'), 'utf8'));
});

test('an impossible conversion prints one sentence and leaves no file', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'empty'));
  writeFileSync(join(folder, 'bad.tar'), 'x'.repeat(2000));
  for (const [from, to, says] of [
    ['empty', 'a.rec', 'Expected a folder of images for each person'],
    ['none.rec', 'a.tar', 'does not exist'],
    ['bad.tar', 'a.rec', 'bad.tar (at byte 0): Expected a file header'],
    ['bad.tar', 'a.zip', 'Expected an output .rec, .tar or folder'],
  ] as const) {
    const { exitCode, stderr } = await runCli(['convert', from, to], { cwd: folder });
    expect(exitCode).toBe(2);
    expect(stderr).toContain(says);
    expect(existsSync(join(folder, to))).toBe(false);
  }
});
