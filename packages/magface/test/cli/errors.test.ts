/** Everyday mistakes end in one sentence, the same wherever they are made. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { sentenceOf } from '../../src/cli/errors.ts';
import { runIn } from './evaluate/evaluate-run.ts';
import { emptyFolder, runCli } from './run-cli.ts';

test('a missing file has the same message everywhere', async () => {
  const cwd = emptyFolder();
  writeFileSync(join(cwd, 'f.list'), 'a 1 2\nb 2 1\n');
  const at = (name: string): string => join(cwd, name);
  const sentence = (name: string, why = 'there is no such file') =>
    `${at(name)}: Expected a file but ${why}: check the path.\n`;
  const ask = async (features: string, pairs: string): Promise<string> =>
    (await runIn(cwd, 'evaluate', 'pairs', '--features', at(features), '--pairs', at(pairs))).notes;
  expect(await ask('nix', 'nix')).toBe(sentence('nix'));
  expect(await ask('f.list', 'nix')).toBe(sentence('nix'));
  const noFolder = `the folder ${at('no/such')} does not exist`;
  expect(await ask('no/such/f.npy', 'nix')).toBe(sentence('no/such/f.npy', noFolder));
  expect(await ask('f.list', 'no/such/p.txt')).toBe(sentence('no/such/p.txt', noFolder));
  mkdirSync(at('folder'));
  expect(await ask('folder', 'nix')).toBe(sentence('folder', 'it is a folder'));
});

test('an error of the system has a remedy, and an unforeseen one is marked as such', () => {
  const of = (code: string, more: object = {}) =>
    sentenceOf(Object.assign(new Error(`${code}: no`), { code, ...more }));
  expect(of('ENOSPC')).toBe('Expected to write the output but the disk is full: free some space, or write elsewhere.');
  expect(of('ENOSPC', { path: 'a', dest: 'b' })).toContain('Expected to write b but the disk is full');
  expect(of('EFBIG', { path: 'a' })).toBe(
    'Expected to write a but it exceeds the maximum file size: write to another disk, or raise the limit (ulimit -f).',
  );
  expect(of('EIO', { path: 'a' })).toContain('its disk has errors (EIO)');
  expect(of('EEXIST')).toBe('EEXIST: no: choose another name.');
  expect(of('EWHAT')).toContain('This error is unexpected');
});

test('align rejects faces of gigabytes', async () => {
  const { exitCode, stderr } = await runCli(['align', 'a.jpg', '--output', 'f', '--size', '50000']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('Expected a whole number from 1 to 4096.');
});

test.skipIf(!existsSync('/dev/full'))('a full disk behind stdout gives one sentence, for help and for data', () => {
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
  const magface = `"${process.execPath}" --import tsx -C magface:source "${main}"`;
  const full = 'Expected to write the output but the disk is full: free some space, or write elsewhere.\n2\n';
  for (const words of ['--help', 'models list --json']) {
    const script = `${magface} ${words} 2>&1 > /dev/full; echo $?`;
    expect(execFileSync('bash', ['-c', script], { encoding: 'utf8' })).toBe(full);
  }
});
