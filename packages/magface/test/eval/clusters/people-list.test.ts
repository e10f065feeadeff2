import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { peopleOf, readPeople } from '../../../src/eval/clusters/people-list.ts';

const root = mkdtempSync(join(tmpdir(), 'people '));
afterAll(() => rmSync(root, { recursive: true }));
const written = (text: string): string => {
  writeFileSync(join(root, 'people.txt'), text);
  return join(root, 'people.txt');
};
const two = { values: Float32Array.of(1, 2), dimension: 1 };

test("a person is the image's folder, above CFP's views", () => {
  expect(Array.from(peopleOf(['a/X/1.jpg', 'b/X/1.jpg', 'a/X/2.jpg']))).toEqual([0, 1, 0]);
  expect(Array.from(peopleOf(['001/frontal/01.jpg', '001/profile/01.jpg', '002/frontal/01.jpg']))).toEqual([0, 0, 1]);
  expect(() => peopleOf(['1.jpg'])).toThrow('Expected the person as the folder of every image but "1.jpg" has none');
});

test('a list names the people, by name or by order', async () => {
  const list = written('x/2.jpg Anna\nx/1.jpg Bo\ny/3.jpg Anna\n');
  const named = { ...two, names: ['x/1.jpg', '3'] };
  expect(Array.from(await readPeople(list, named))).toEqual([1, 0]);
  expect(Array.from(await readPeople(written('1,a\n2,b\n'), two))).toEqual([0, 1]);
});

test('says which line or feature is at fault', async () => {
  await expect(readPeople(written('1 a b\n'), two)).rejects.toThrow('Expected "name identity" on line 1');
  await expect(readPeople(written('1 a\n'), two)).rejects.toThrow('Expected 2 lines (one per feature) but received 1');
  const named = { ...two, names: ['1', '9'] };
  await expect(readPeople(written('1 a\n2 b\n'), named)).rejects.toThrow(
    'Expected an identity for every feature but "9"',
  );
});
