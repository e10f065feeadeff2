/** Folders and training sets that are gone when the tests of a file are over. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { writeFaceSet } from './face-set.ts';

export { jpeg, smallNetwork, tinyRun } from './face-set.ts';

const made: string[] = [];
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

/** A folder that is gone when the file's tests are over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'magface train '));
  made.push(folder);
  return folder;
}

/** @returns the folder, with `people` folders of `each` images */
export function smallSet(people: number, each: number, prefix = 'person '): string {
  return writeFaceSet(temporaryFolder(), people, each, prefix);
}
