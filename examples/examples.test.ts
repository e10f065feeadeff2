/** Every example runs as its first line says, on the sample photos. */
import { execFileSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { samplePhoto } from '../packages/magface/test/support/sample-photos.ts';

const run = (example: string, ...words: string[]): string => {
  const file = fileURLToPath(new URL(example, import.meta.url));
  return execFileSync(process.execPath, ['--import', 'tsx', '-C', 'magface:source', file, ...words], {
    encoding: 'utf8',
  });
};

test('quality-of-folder scores the 22 faces of the sample photos', () => {
  const lines = run('quality-of-folder.ts', dirname(samplePhoto(1))).split('\n');
  expect(lines.filter((line) => /sample\d\.jpg: magnitude \d+\.\d\d, quality \d+/.test(line))).toHaveLength(22);
});

test('compare-two finds a face identical with itself', () => {
  expect(run('compare-two.ts', samplePhoto(1), samplePhoto(1))).toBe('similarity 1.0000\n');
});

test('best-shot names one of the photos', () => {
  const photos = [samplePhoto(1), samplePhoto(2)];
  const [photo] = run('best-shot.ts', ...photos).split(': magnitude');
  expect(photos).toContain(photo);
});
