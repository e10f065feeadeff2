/** Which images words, lists and stdin name. */
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { findImages } from '../../src/cli/inputs.ts';

const signal = new AbortController().signal;

test('stdin accepts hundreds of thousands of paths separated by NUL', async () => {
  const stdin = Readable.from([Buffer.from('a b.jpg\0'.repeat(300_000))]);
  const images = await findImages(['-'], { stdin, signal });
  expect(images).toHaveLength(300_000);
  expect(images[1]).toEqual({ name: 'a b.jpg', path: resolve('a b.jpg') });
});
