/** Training sees the pixels that inference sees, bit for bit, whatever the format. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { expect, test } from 'vitest';
import { readAligned } from '../../../src/infer/node/read-image.ts';
import { readDataset } from '../../../src/train/data/dataset.ts';
import { decodeSample, faceBytes } from '../../../src/train/data/decode-sample.ts';
import { Loader } from '../../../src/train/data/loader.ts';
import { ViewReader } from '../../../src/train/finetune/view-reader.ts';
import { u01 } from '../golden.ts';
import { temporaryFolder } from '../small-set.ts';

/** A picture with edges, colours and noise, in which a decoder's rounding shows. */
function picture(channels: 1 | 3 | 4 = 3): Sharp {
  const noise = u01(`picture ${channels}`, 112 * 112 * channels);
  const values = noise.map((u, i) => 90 * u + (Math.floor(i / (8 * channels)) % 2 === 0 ? 20 : 140));
  return sharp(Buffer.from(Uint8Array.from(values)), { raw: { width: 112, height: 112, channels } });
}

const files: Readonly<Record<string, () => Promise<Buffer>>> = {
  'a.jpg': () => picture().jpeg({ quality: 90 }).toBuffer(),
  'b.jpg': () => picture().jpeg({ quality: 50, chromaSubsampling: '4:2:0', progressive: true }).toBuffer(),
  'grey.jpg': () => picture(1).toColourspace('b-w').jpeg().toBuffer(),
  'turned.jpg': () => picture().withMetadata({ orientation: 3 }).jpeg().toBuffer(),
  'plain.png': () => picture().png().toBuffer(),
  'transparent.png': () => picture(4).png().toBuffer(),
  'a.webp': () => picture().webp().toBuffer(),
};

const folder = temporaryFolder();
const bgrOf = (rgb: Uint8Array | Uint8ClampedArray): number[] =>
  Array.from(rgb, (_, i) => rgb[i - (i % 3) + 2 - (i % 3)]!);

test.each(Object.entries(files))('decodes %s', async (name, make) => {
  const file = join(folder, name);
  writeFileSync(file, await make());
  const expected = bgrOf((await readAligned(file)).data);
  const decoded = new Uint8Array(faceBytes);
  await decodeSample(file, decoded, false);
  expect([...decoded]).toEqual(expected);

  const list = `${file}.list`;
  writeFileSync(list, `${file} 0 0 0\n`);
  const dataset = readDataset(list);
  await using loader = new Loader(dataset, { batchSize: 1, seed: 1, flip: false, workers: 0 });
  for await (const { faces } of loader.batches(0)) expect([...faces]).toEqual(expected);

  const reader = new ViewReader(dataset, 0);
  const shown = await reader.read([{ sample: 0, augmentation: { flipped: false, damages: [] } }]);
  expect([...shown]).toEqual(expected);
  await reader.close();
});
