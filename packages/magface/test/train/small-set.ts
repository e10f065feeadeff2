/** A training set that a test makes: a folder a person, faces of a colour of their own with noise. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { u01 } from './golden.ts';

const turbo = createRequire(import.meta.url)('@julusian/jpeg-turbo') as typeof import('@julusian/jpeg-turbo');

const made: string[] = [];
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

/** Settings of a run of seconds; tests add what they are about. */
export const tinyRun = {
  arch: 'mobilefacenet',
  embeddingSize: 32,
  batchSize: 4,
  lr: 0.01,
  threads: 1,
  workers: 0,
} as const;

/** A folder that is gone when the file's tests are over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'magface train '));
  made.push(folder);
  return folder;
}

/** A JPEG of 112x112, or of another size. */
export function jpeg(name: string, size = 112): Buffer {
  const [r = 0, g = 0, b = 0] = u01(name, 3);
  const pixels = Buffer.from(u01(`${name} noise`, size * size * 3).map((u, i) => 128 * [r, g, b][i % 3]! + 127 * u));
  return turbo.compressSync(pixels, {
    format: turbo.FORMAT_RGB,
    width: size,
    height: size,
    subsampling: turbo.SAMP_444,
    quality: 95,
  });
}

/** @returns the folder, with `people` folders of `each` images */
export function smallSet(people: number, each: number, prefix = 'person '): string {
  const folder = temporaryFolder();
  for (let person = 0; person < people; person++) {
    mkdirSync(join(folder, `${prefix}${person}`));
    for (let i = 0; i < each; i++)
      writeFileSync(join(folder, `${prefix}${person}`, `${i}.jpg`), jpeg(`${person} ${i}`));
  }
  return folder;
}
