/** Errors name paths as the user typed them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { emptyFolder, runCli } from './run-cli.ts';

test('errors of the library name what the user named', async () => {
  const cwd = emptyFolder();
  writeFileSync(join(cwd, 'bad.npy'), 'text');
  for (const words of [
    ['convert', 'nix.npy', 'x.list'],
    ['convert', 'bad.npy', 'x.list'],
    ['convert', 'no/nix.npy', 'x.list'],
    ['evaluate', 'set', 'nix.bin'],
    ['enroll', '--gallery', 'bad.npy', '--person', 'ann', 'a.jpg'],
    ['train', '--train-list', 'nix.bin', '--output', 'run'],
  ]) {
    const { exitCode, stderr } = await runCli(words, { cwd });
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/(nix|bad)\.(npy|bin)/);
    expect(stderr).not.toContain(cwd);
  }
});
