/** What the README and the lock file promise. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (file: string): string => readFileSync(root + file, 'utf8');

test('every file in the table "Rule of the paper, file, test" exists', () => {
  const files = [...read('README.md').matchAll(/`(packages\/[^`]+\.(?:ts|json))`/g)].map(([, file]) => file!);
  expect(files.length).toBeGreaterThan(10);
  expect(files.filter((file) => !existsSync(root + file))).toEqual([]);
});

test('every result that FEATURES.md names exists', () => {
  const files = [...read('FEATURES.md').matchAll(/`((?:bench|packages|configs)\/[^`]+\.\w+)`/g)].map(
    ([, file]) => file!,
  );
  expect(files.length).toBeGreaterThan(2);
  expect(files.filter((file) => !existsSync(root + file))).toEqual([]);
});

test('the lock file names no registry', () => {
  expect(read('package-lock.json')).not.toMatch(/"resolved": "https?:/);
});
