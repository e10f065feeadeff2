import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeFolder } from '../../src/machine/make-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'magface-make-folder-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a folder is made with those above it, and may be there already', async () => {
  const deep = join(folder, 'a/b/c');
  await makeFolder(deep);
  expect(statSync(deep).isDirectory()).toBe(true);
  await makeFolder(deep);
  await Promise.all([makeFolder(join(folder, 'x/y')), makeFolder(join(folder, 'x/z'))]);
  expect(statSync(join(folder, 'x/z')).isDirectory()).toBe(true);
});

test('a file in the way is told by the system', async () => {
  writeFileSync(join(folder, 'file'), '');
  await expect(makeFolder(join(folder, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
  await expect(makeFolder(join(folder, 'file/below'))).rejects.toMatchObject({ code: 'ENOTDIR' });
});

test.skipIf(!existsSync('/proc/self'))('where a file system takes no folder the answer comes at once', async () => {
  await expect(makeFolder('/proc/magface/deep')).rejects.toThrow(
    'Expected to make the folder /proc/magface but /proc takes no folders: choose another place.',
  );
});
