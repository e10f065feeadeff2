import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeFolder } from '../../src/machine/make-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'magface-make-folder-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('makes a folder with its parents, and accepts an existing one', async () => {
  const deep = join(folder, 'a/b/c');
  await makeFolder(deep);
  expect(statSync(deep).isDirectory()).toBe(true);
  await makeFolder(deep);
  await Promise.all([makeFolder(join(folder, 'x/y')), makeFolder(join(folder, 'x/z'))]);
  expect(statSync(join(folder, 'x/z')).isDirectory()).toBe(true);
});

test("passes on the system's error for a file in its place", async () => {
  writeFileSync(join(folder, 'file'), '');
  await expect(makeFolder(join(folder, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
  await expect(makeFolder(join(folder, 'file/below'))).rejects.toMatchObject({ code: 'ENOTDIR' });
});

test.skipIf(!existsSync('/proc/self'))('fails at once on a file system that allows no folders', async () => {
  await expect(makeFolder('/proc/magface/deep')).rejects.toThrow(
    'Expected to create the folder /proc/magface but /proc does not allow folders: choose another.',
  );
});
