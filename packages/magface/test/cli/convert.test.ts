import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRecordWriter } from '../../src/format/record-file.ts';
import { float32Tensor } from '../../src/format/tensor.ts';
import { writeTorch } from '../../src/format/torch-writer.ts';
import { emptyFolder, runCli } from './run-cli.ts';

test('weights: names stay as given, one JSON document', async () => {
  const cwd = emptyFolder();
  await writeTorch(join(cwd, 'a.pth'), { state_dict: new Map([['w', float32Tensor([1], Float32Array.of(1))]]) });
  const { exitCode, stdout } = await runCli(['convert', 'a.pth', 'a.safetensors', '--json'], { cwd });
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ input: 'a.pth', output: 'a.safetensors', tensors: 1 });
});

test('train.rec to a folder with its list', async () => {
  const cwd = emptyFolder();
  const writer = await createRecordWriter(join(cwd, 'train.rec'));
  await writer.write(1, { labels: [5], id: 1, id2: 0, image: Buffer.from([0xff, 0xd8]) });
  await writer.close();
  const { exitCode, stdout } = await runCli(['convert', 'train.rec', 'faces'], { cwd });
  expect([exitCode, stdout]).toEqual([0, '1 images in faces\n']);
  expect(readFileSync(join(cwd, 'faces/train.list'), 'utf8')).toBe('00000/1.jpg 0 0 0\n');
});

test('a pickle that wants to run something exits with 2 and names it', async () => {
  const cwd = emptyFolder();
  writeFileSync(join(cwd, 'evil.pth'), '\x80\x02cos\nsystem\n.', 'latin1');
  const { exitCode, stderr } = await runCli(['convert', 'evil.pth', 'a.safetensors'], { cwd });
  expect(exitCode).toBe(2);
  expect(stderr).toContain("Python's os.system, which is refused");
});
