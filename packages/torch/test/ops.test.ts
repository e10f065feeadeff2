/** The generated file is what the generator writes from the allow-list today. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

test('every operator of ops.txt stands in ops.gen.ts, and no other', () => {
  const listed = [...read('ops.txt').matchAll(/aten::[\w.]+/g)].map(String).sort();
  const generated = [...read('src/ops.gen.ts').matchAll(/operator\('(.+?)'\)/g)].map((hit) => hit[1]).sort();
  expect(generated).toEqual(listed);
});
