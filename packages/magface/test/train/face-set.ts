/** Training sets that a test or a benchmark makes: a folder a person, faces of a colour of their own with noise. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { u01 } from './golden.ts';

const turbo = createRequire(import.meta.url)('@julusian/jpeg-turbo') as typeof import('@julusian/jpeg-turbo');

/** A network whose step takes milliseconds, for tests of all that stands around a network. */
export const smallNetwork: string = fileURLToPath(new URL('../../../../examples/own-network.mjs', import.meta.url));

/** Settings of a run of seconds; those who use them add what they are about. */
export const tinyRun = {
  arch: smallNetwork,
  embeddingSize: 32,
  batchSize: 4,
  lr: 0.01,
  threads: 1,
  workers: 0,
} as const;

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

/** Writes `people` folders of `each` images; the same ones each time. @returns the folder */
export function writeFaceSet(folder: string, people: number, each: number, prefix = 'person '): string {
  for (let person = 0; person < people; person++) {
    mkdirSync(join(folder, `${prefix}${person}`));
    for (let i = 0; i < each; i++)
      writeFileSync(join(folder, `${prefix}${person}`, `${i}.jpg`), jpeg(`${person} ${i}`));
  }
  return folder;
}
