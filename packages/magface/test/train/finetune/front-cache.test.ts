import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { convertFaces } from '../../../src/train/data/convert-faces.ts';
import { readDataset } from '../../../src/train/data/dataset.ts';
import { FrontCache, facesDigest } from '../../../src/train/finetune/front-cache.ts';
import { jpeg, smallSet, temporaryFolder } from '../small-set.ts';

const digestOf = (source: string): string => facesDigest(readDataset(source).samples);

test('the key changes if a face was edited, even with the same name and size', () => {
  const folder = smallSet(2, 2);
  const before = digestOf(folder);
  expect(digestOf(folder)).toBe(before);
  const face = join(folder, 'person 0', '1.jpg');
  writeFileSync(face, jpeg('another'));
  const edited = digestOf(folder);
  expect(edited).not.toBe(before);
  utimesSync(face, 1e9, 1e9);
  expect(digestOf(folder)).not.toBe(edited);
});

test('the key changes if a packed file changes', async () => {
  const file = join(temporaryFolder(), 'train.rec');
  await convertFaces(smallSet(2, 2), file);
  const before = digestOf(file);
  expect(digestOf(file)).toBe(before);
  utimesSync(file, 1e9, 1e9);
  expect(digestOf(file)).not.toBe(before);
});

test('values that cannot be written leave no partial file', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'front-a-view0.start', 'in the way'), { recursive: true });
  await expect(new FrontCache(folder, 'a').writeFeatures(0, Float32Array.of(1, 2))).rejects.toThrow('it is a folder');
  expect(readdirSync(folder)).toEqual(['front-a-view0.start']);
});
