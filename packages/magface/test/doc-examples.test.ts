/** Programs in docstrings run as they stand, on the fixtures and the sample photos. */
import { rmSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { docExamples, exampleFolder, examplesIn, runExample } from './support/examples.ts';

const folder = exampleFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const examples = docExamples();

test.each(['eval', 'format', 'gallery', 'models'])('%s/index.ts has an example', (name) => {
  expect(examples.filter(({ file }) => file === `${name}/index.ts`)).not.toEqual([]);
});

test('every @example contains a program', () => {
  expect(examples.filter(({ program }) => program.trim() === '')).toEqual([]);
});

test.each(examples.map((example) => [example.file, example.title, example.program]))('%s: %s', (_, __, program) => {
  const { status, text } = runExample(program, folder);
  expect(status, text).toBe(0);
  expect(text).not.toMatch(/\bNaN\b|\bundefined\b/);
});

test('detects an example that throws', () => {
  const [example] = examplesIn("/**\n * @example\n * ```ts\n * throw new Error('no');\n * ```\n */", 'made-up.ts');
  expect(runExample(example!.program, folder)).toMatchObject({ status: 1, text: expect.stringContaining('no') });
});
