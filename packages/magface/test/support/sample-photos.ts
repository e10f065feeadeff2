/** The six sample photos that a development dependency ships (MIT, its author's own photos). */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const folder = join(dirname(createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json')), 'demo');

/** Absolute path of sample photo 1 to 6. */
export const samplePhoto = (number: 1 | 2 | 3 | 4 | 5 | 6): string => join(folder, `sample${number}.jpg`);
