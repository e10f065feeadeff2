/** Converts verification sets between `.bin` and a folder with the official lists. Images are copied byte for byte. */
import { writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { ConfigError } from '../errors.ts';
import { type VerificationPair, writeVerificationBin } from '../format/verification-bin.ts';
import { makeFolder } from '../machine/make-folder.ts';
import type { FaceSet } from './face-set.ts';
import { openFaceSet } from './open-face-set.ts';

/**
 * @param input - a `.bin`, or the folder of a set with its list of pairs
 * @param output - `NAME.bin`; or a folder, which gets the images, `pair.list` (`imageA imageB 1` a pair) and `img.list` (two
 *   lines a pair, as the official evaluation wants its features)
 * @returns the number of pairs written
 */
export async function convertFaceSet(input: string, output: string): Promise<number> {
  const kind = extname(output);
  if (kind !== '.bin' && kind !== '') {
    throw new ConfigError('output', {
      expected: 'an output .bin or folder for a verification set',
      received: output,
      remedy: 'rename it',
    });
  }
  const set = await openFaceSet(input);
  try {
    if (kind === '.bin') await writeVerificationBin(output, pairsOf(set));
    else await toFolder(output, set);
    return set.pairs.same.length;
  } finally {
    await set.close();
  }
}

async function* pairsOf({ images, pairs: { left, right, same } }: FaceSet): AsyncGenerator<VerificationPair> {
  for (const [pair, is] of same.entries()) {
    yield { images: [await images[left[pair]!]!.read(), await images[right[pair]!]!.read()], same: is === 1 };
  }
}

async function toFolder(folder: string, { images, pairs: { left, right, same } }: FaceSet): Promise<void> {
  await makeFolder(folder);
  const names: string[] = [];
  for (const [i, image] of images.entries()) {
    const bytes = await image.read();
    const name = `${String(i).padStart(6, '0')}.${bytes[0] === 0x89 ? 'png' : 'jpg'}`;
    await writeFile(join(folder, name), bytes);
    names.push(name);
  }
  const rows = Array.from(same, (is, pair) => [names[left[pair]!]!, names[right[pair]!]!, is] as const);
  await writeFile(join(folder, 'pair.list'), rows.map(([a, b, is]) => `${a} ${b} ${is}\n`).join(''));
  await writeFile(join(folder, 'img.list'), rows.map(([a, b]) => `${a}\n${b}\n`).join(''));
}
