import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectFileTarget, expectFolderTarget } from '../../src/format/write-target.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'targets ü '));
  mkdirSync(join(folder, 'there'));
  writeFileSync(join(folder, 'file'), '');
  process.chdir(folder);
});
const before = process.cwd();
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

const file = (given: string) => expectFileTarget(given, 'report');
const folderOf = (given: string) => expectFolderTarget(given, 'copy-to');

test('accepts a new or existing file in an existing folder', async () => {
  for (const given of ['new', 'file', 'there/new']) await file(given);
  await expectFileTarget('/dev/null');
  const wrong = { code: 'wrong_configuration', key: 'report' };
  await expect(file('there')).rejects.toMatchObject({
    ...wrong,
    message: 'Expected to write there but it is a folder: name a file in it.',
  });
  await expect(file('no/such/r.html')).rejects.toMatchObject({
    ...wrong,
    message: 'Expected to write no/such/r.html but the folder no/such does not exist: create it, or choose another.',
  });
  await expect(file('file/r.html')).rejects.toMatchObject({
    ...wrong,
    message: 'Expected to write file/r.html but file is not a folder: choose another path.',
  });
});

test('accepts a missing folder, with its parents, but no file in its place', async () => {
  for (const given of ['new', 'there', 'new/deep/er', '.']) await folderOf(given);
  await expect(folderOf('file')).rejects.toMatchObject({
    key: 'copy-to',
    message: 'Expected to write into the folder file but file is not a folder: choose another.',
  });
  await expect(folderOf('file/deep')).rejects.toThrow('into the folder file/deep but file is not a folder');
});
