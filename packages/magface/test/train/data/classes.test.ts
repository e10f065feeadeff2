/** A stray label is told before it takes memory. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigError } from '../../../src/errors.ts';
import { checkClasses } from '../../../src/train/data/classes.ts';
import { readDataset } from '../../../src/train/data/dataset.ts';
import { smallSet } from '../small-set.ts';

const options = { dimension: 512, ranks: 1, sampleRate: 1 };
const GiB = 2 ** 30;

function notesOf(label: number, more: object = {}): string[] {
  const folder = smallSet(1, 1);
  const list = join(folder, 'train.list');
  writeFileSync(list, `person 0/0.jpg 0 ${label} 0\n`);
  const notes: string[] = [];
  checkClasses(readDataset(list), { ...options, ...more }, (line) => notes.push(line), 24 * GiB);
  return notes;
}

test('rejects a label of four thousand million with the memory it would need', () => {
  expect(() => notesOf(4_000_000_000)).toThrow(ConfigError);
  expect(() => notesOf(4_000_000_000)).toThrow(
    'Expected class centers that fit into the memory of this machine (24.0 GiB) but 4000000001 classes of 512 values need 22.4 TiB (the greatest label is 4000000000; the training set has images of one person): number people from 0 without gaps.',
  );
});

test('reports two million classes of one person, with their memory', () => {
  expect(notesOf(2_000_000)).toEqual([
    'There are 2000001 classes, since the greatest label is 2000000, but the training set has images of one person: the class centers take 11.4 GiB. Number people from 0 without gaps, unless that is meant.',
  ]);
  expect(notesOf(2_000_000, { lastFcSize: 2_000_001 })).toEqual([]);
  expect(notesOf(1)).toEqual([]);
});

test('counts the centers per process, and no gradients for centers that are not sampled', () => {
  expect(() => notesOf(5_000_000)).toThrow(/need 28\.6 GiB/);
  expect(notesOf(5_000_000, { ranks: 2 })[0]).toContain('take 14.3 GiB');
  expect(notesOf(5_000_000, { sampleRate: 0.1 })[0]).toContain('take 20.0 GiB');
});
