/** Names in outputs stay as given. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { asGiven } from '../../src/cli/as-given.ts';
import { emptyFolder, runCli } from './run-cli.ts';

test('shows paths as the user typed them', () => {
  const tell = (message: string, ...words: string[]) => asGiven(message, words, '/home/me');
  expect(tell('/home/me/a/b.npy: gone', 'convert', 'a/b.npy', 'x')).toBe('a/b.npy: gone');
  expect(tell('no folder /home/me/a', 'a/b.npy')).toBe('no folder a');
  expect(tell('/home/you/a.npy', '--features=../you/a.npy')).toBe('../you/a.npy');
  expect(tell('/home/me/a.npy', '/home/me/a.npy')).toBe('/home/me/a.npy');
  expect(tell('/home/me/photos/p and /home/me/p', 'p', 'photos')).toBe('photos/p and p');
  expect(tell('/home/me/x', '', '.')).toBe('/home/me/x');
});

test('shows the names that the user gave in errors of the library', async () => {
  const cwd = emptyFolder();
  writeFileSync(join(cwd, 'bad.npy'), 'text');
  for (const words of [
    ['convert', 'nix.npy', 'x.list'],
    ['convert', 'bad.npy', 'x.list'],
    ['evaluate', 'set', 'nix.bin'],
  ]) {
    const { exitCode, stderr } = await runCli(words, { cwd });
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/(nix|bad)\.(npy|bin)/);
    expect(stderr).not.toContain(cwd);
  }
});
