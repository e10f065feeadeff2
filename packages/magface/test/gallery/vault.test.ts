/** Keys, the keyed rotation and sealed values. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseGalleryKey, readGalleryKey } from '../../src/gallery/gallery-key.ts';
import { keyedRotation } from '../../src/gallery/keyed-rotation.ts';
import { createVault } from '../../src/gallery/vault.ts';
import { magnitudeOf } from '../../src/quality.ts';
import { compare } from '../../src/similarity.ts';

const dimension = 64;
const key = Buffer.alloc(32, 1);
const vector = (seed: number): Float32Array =>
  Float32Array.from({ length: dimension }, (_, d) => Math.sin(seed * (d + 1)));

test('a rotation keeps cosines and magnitudes, and its inverse brings embeddings back', () => {
  const { turn, turnBack } = keyedRotation(key, dimension);
  const [a, b] = [vector(1), vector(2)];
  expect(compare(turn(a), turn(b))).toBeCloseTo(compare(a, b), 6);
  expect(magnitudeOf(turn(a))).toBeCloseTo(magnitudeOf(a), 5);
  turnBack(turn(a)).forEach((value, d) => {
    expect(value).toBeCloseTo(a[d]!, 6);
  });
  expect(turn(a)).toEqual(keyedRotation(key, dimension).turn(a));
});

test('turned embeddings resemble neither themselves nor those of another key: that revokes them', () => {
  const others = Array.from({ length: 20 }, (_, i) => keyedRotation(Buffer.alloc(32, i + 2), dimension));
  const a = vector(3);
  const mine = keyedRotation(key, dimension).turn(a);
  const cosines = others.flatMap(({ turn }) => [compare(turn(a), mine), compare(turn(a), a)]);
  // Uniform directions: mean 0, standard deviation 1 / √D.
  expect(Math.abs(cosines.reduce((sum, value) => sum + value, 0) / cosines.length)).toBeLessThan(
    4 / Math.sqrt(40 * dimension),
  );
  const spread = Math.sqrt(cosines.reduce((sum, value) => sum + value * value, 0) / cosines.length);
  expect(spread).toBeGreaterThan(0.6 / Math.sqrt(dimension));
  expect(spread).toBeLessThan(1.5 / Math.sqrt(dimension));
});

test('sealed values open in their place alone, and never look the same twice', () => {
  const vault = createVault('sealed', dimension, key);
  const stored = vault.sealText('Ann', ['name', 'a']);
  expect(vault.openText(stored, ['name', 'a'])).toBe('Ann');
  expect(vault.sealText('Ann', ['name', 'a'])).not.toBe(stored);
  const message = 'as it was sealed but it was changed';
  expect(() => vault.openText(stored, ['name', 'b'])).toThrow(message);
  expect(() => vault.openText(stored, ['consent', 'a'])).toThrow(message);
  expect(() => createVault('sealed', dimension, Buffer.alloc(32, 2)).openText(stored, ['name', 'a'])).toThrow(message);
  expect(() => vault.openText('AAAA', ['name', 'a'])).toThrow(message);
  const embedding = vector(4);
  expect(vault.openVector(vault.sealVector(embedding, ['embedding', 'a']), ['embedding', 'a'])).toEqual(embedding);
  expect(() => createVault('turned', dimension)).toThrow('pass --gallery-key FILE or set MAGFACE_GALLERY_KEY');
});

test('a key is read from hexadecimal digits or base64, and never shown', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'magface key '));
  const file = join(folder, 'key.txt');
  await writeFile(file, `${key.toString('hex')}\n`);
  expect(await readGalleryKey(file)).toEqual(key);
  expect(parseGalleryKey(key.toString('base64'), 'here')).toEqual(key);
  for (const text of ['', 'secret', key.toString('hex').slice(1), `${key.toString('hex')}00`]) {
    const parse = (): unknown => parseGalleryKey(text, 'MAGFACE_GALLERY_KEY');
    expect(parse).toThrow('in MAGFACE_GALLERY_KEY but it has another form: make one with `openssl rand -hex 32`.');
    if (text !== '') expect(parse).not.toThrow(text);
  }
  await expect(readGalleryKey(join(folder, 'none'))).rejects.toThrow('but it cannot be read');
  await rm(folder, { recursive: true });
});
