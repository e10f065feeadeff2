/** Which images words, lists and stdin name. */
import { writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { findImages } from '../../src/cli/inputs.ts';
import { emptyFolder } from './run-cli.ts';

const signal = new AbortController().signal;

test('stdin accepts hundreds of thousands of paths separated by NUL', async () => {
  const stdin = Readable.from([Buffer.from('a b.jpg\0'.repeat(300_000))]);
  const images = await findImages(['-'], { stdin, signal });
  expect(images).toHaveLength(300_000);
  expect(images[1]).toEqual({ name: 'a b.jpg', path: resolve('a b.jpg') });
});

test('a live photo is its still, and a RAW file beside its JPEG is no second photo', async () => {
  const folder = emptyFolder();
  const names = ['live.HEIC', 'live.MOV', 'raw.CR2', 'raw.JPG', 'alone.dng', 'holiday.mp4', 'notes.txt'];
  for (const name of names) writeFileSync(join(folder, name), '');
  const notes: string[] = [];
  const stdin = Readable.from([]);
  const images = await findImages([folder], { stdin, signal, onNote: (line) => notes.push(line) });
  expect(images.map(({ path }) => basename(path))).toEqual(['alone.dng', 'live.HEIC', 'raw.JPG']);
  expect(notes).toEqual([
    `Skipped in ${folder}: 1 RAW file beside the same picture in another format.`,
    `Skipped in ${folder}: 1 clip of live photos, of which the stills are included.`,
    `Skipped in ${folder}: 2 files of other kinds (.mp4, .txt).`,
  ]);
});
