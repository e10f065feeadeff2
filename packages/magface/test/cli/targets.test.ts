/** What cannot be written is told before the work, by the name that the user gave it, and nothing is made. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, expect, test } from 'vitest';
import { emptyFolder, runCli } from './run-cli.ts';

const cwd = emptyFolder();
beforeAll(async () => {
  mkdirSync(join(cwd, 'folder'));
  writeFileSync(join(cwd, 'text.jpg'), 'text');
  await sharp({ create: { width: 112, height: 112, channels: 3, background: 'grey' } }).toFile(join(cwd, 'a.png'));
});

const fail = async (): Promise<never> => {
  throw new Error('a model was loaded');
};
const pairs = ['--features', 'gone.npy', '--pairs', 'gone.txt'];
const noFolder = 'but the folder new/deep does not exist: create it, or choose another.\n';

test.each([
  [['quality', 'a.png', '--report', 'new/deep/r.html'], `Expected to write new/deep/r.html ${noFolder}`],
  [['quality', 'a.png', '--report', 'folder'], 'Expected to write folder but it is a folder: name a file in it.\n'],
  [
    ['quality', 'a.png', '--best', '1', '--copy-to', 'text.jpg'],
    'Expected to write into the folder text.jpg but text.jpg is not a folder: choose another.\n',
  ],
  [
    ['align', 'a.png', '--output', 'text.jpg/faces'],
    'Expected to write into the folder text.jpg/faces but text.jpg is not a folder: choose another.\n',
  ],
  [
    ['page', '--output', 'text.jpg'],
    'Expected to write into the folder text.jpg but text.jpg is not a folder: choose another.\n',
  ],
  [['calibrate', '--faces', 'a.png', '--output', 'new/deep/m.onnx'], `Expected to write new/deep/m.onnx ${noFolder}`],
  [['convert', 'gone.onnx', 'new/deep/m.onnx'], `Expected to write new/deep/m.onnx ${noFolder}`],
  [['evaluate', 'set', 'gone.bin', '--report', 'new/deep/r.html'], `Expected to write new/deep/r.html ${noFolder}`],
  [['evaluate', 'reject', ...pairs, '--report', 'new/deep/r.html'], `Expected to write new/deep/r.html ${noFolder}`],
  [['evaluate', 'report', ...pairs, '--output', 'new/deep/r.html'], `Expected to write new/deep/r.html ${noFolder}`],
  [
    ['evaluate', 'robustness', '--faces', 'a.png', '--report', 'new/deep/r.html'],
    `Expected to write new/deep/r.html ${noFolder}`,
  ],
])('rejects %j', async (words, stderr) => {
  const run = await runCli(words, { cwd, services: { load: fail, loadModel: fail } });
  expect(run).toEqual({ exitCode: 2, stdout: '', stderr });
  expect(readdirSync(cwd).sort()).toEqual(['a.png', 'folder', 'text.jpg']);
});
