/** Synthetic IJB-C data with identities: features and the protocol's text files. */

import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { randomStream } from '../../packages/magface/src/random.ts';

/** Size of IJB-C, or a share of it. */
export interface IjbSize {
  readonly images: number;
  readonly templates: number;
  readonly subjects: number;
  readonly pairs: number;
  readonly genuine: number;
}

/** The full protocol: 3,531 subjects; 19,557 genuine and 15,638,932 impostor pairs. */
export const fullIjbC: IjbSize = {
  images: 469_375,
  templates: 23_124,
  subjects: 3_531,
  pairs: 15_658_489,
  genuine: 19_557,
};

/** @returns the size with every count multiplied by `share` */
export const shareOf = (share: number): IjbSize =>
  Object.fromEntries(
    Object.entries(fullIjbC).map(([key, count]) => [key, Math.round(count * share)]),
  ) as unknown as IjbSize;

const dimension = 512;

/**
 * A feature is magnitude · unit(person + template + image): a worse image gives a shorter feature that deviates more. Writes
 * `features.npy` or `features.list` (the official text), and `meta/`.
 */
export async function makeIjb(folder: string, size: IjbSize, format: 'npy' | 'list'): Promise<void> {
  await mkdir(join(folder, 'meta'), { recursive: true });
  const random = randomStream(1);
  const subjectOf = Int32Array.from({ length: size.templates }, (_, template) => template % size.subjects);
  const features = createWriteStream(join(folder, `features.${format}`));
  if (format === 'npy') await write(features, npyHeader(size.images));
  const faces = createWriteStream(join(folder, 'meta/ijbc_face_tid_mid.txt'));
  const noise = noiseTable(random);
  const perTemplate = size.images / size.templates;
  for (let template = 0, image = 0; template < size.templates; template++) {
    const [rows, lines]: [Float32Array[], string[]] = [[], []];
    const media = 1 + Math.floor(random() * 6);
    for (const end = Math.round((template + 1) * perTemplate); image < end; image++) {
      rows.push(feature(noise, subjectOf[template]!, template, random));
      lines.push(`${image + 1}.jpg ${template + 1} ${template * 8 + 1 + Math.floor(random() * media)}\n`);
    }
    await write(faces, lines.join(''));
    for (const [i, row] of rows.entries())
      await write(
        features,
        format === 'npy' ? Buffer.from(row.buffer) : `${image - rows.length + i + 1}.jpg ${row.join(' ')} \n`,
      );
  }
  await Promise.all([end(features), end(faces)]);
  await writePairs(join(folder, 'meta/ijbc_template_pair_label.txt'), size, { subjectOf, random });
}

/** Two million normal deviates. Directions are read from it at different offsets, which is fast and random enough. */
function noiseTable(random: () => number): Float32Array {
  return Float32Array.from(
    { length: 1 << 21 },
    () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );
}

function feature(noise: Float32Array, subject: number, template: number, random: () => number): Float32Array {
  const start = (key: number): number => Math.imul(key + 1, 0x9e3779b1) >>> 12; // 20 bits: below half of the table
  const damage = 0.5 + 1.2 * random();
  const [a, b, c] = [start(subject), start(template + 100_000), Math.floor(random() * (1 << 20))];
  const row = new Float32Array(dimension);
  let sum = 0;
  for (let d = 0; d < dimension; d++) {
    row[d] = noise[a + d]! + 1.8 * noise[b + d]! + damage * noise[c + d]!;
    sum += row[d]! ** 2;
  }
  const scale = (32 - 10 * damage) / Math.sqrt(sum);
  return row.map((value) => value * scale);
}

interface PairContext {
  readonly subjectOf: Int32Array;
  readonly random: () => number;
}

/** Genuine pairs are spread among impostors, and one template is compared with many in a row, as in the real list. */
async function writePairs(
  file: string,
  { pairs, genuine, subjects, templates }: IjbSize,
  { subjectOf, random }: PairContext,
): Promise<void> {
  const stream = createWriteStream(file);
  const any = (): number => Math.floor(random() * templates);
  const every = Math.floor(pairs / genuine);
  let lines: string[] = [];
  let left = any();
  for (let pair = 0, made = 0; pair < pairs; pair++) {
    if (pair % 700 === 0) left = any();
    const own = pair % every === 0 && made < genuine;
    let right = own ? (left + subjects) % templates : any();
    while (!own && subjectOf[right] === subjectOf[left]) right = any();
    if (own) made++;
    lines.push(`${left + 1} ${right + 1} ${subjectOf[left] === subjectOf[right] ? 1 : 0}\n`);
    if (lines.length === 50_000 || pair === pairs - 1) {
      await write(stream, lines.join(''));
      lines = [];
    }
  }
  await end(stream);
}

async function write(stream: WriteStream, data: Buffer | string): Promise<void> {
  if (!stream.write(data)) await once(stream, 'drain');
}

async function end(stream: WriteStream): Promise<void> {
  stream.end();
  await once(stream, 'close');
}

function npyHeader(rows: number): Buffer {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${dimension}), }`.padEnd(117);
  return Buffer.from(`\x93NUMPY\x01\x00${String.fromCharCode(118, 0)}${text}\n`, 'latin1');
}
