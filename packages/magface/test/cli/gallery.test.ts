/** `enroll` and `identify`, against a recogniser whose faces all look one way. */

import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, expect, test } from 'vitest';
import { emptyFolder, fakeRecogniser, runCli } from './run-cli.ts';

const cwd = emptyFolder();

beforeAll(async () => {
  mkdirSync(join(cwd, 'ann'));
  const make = (file: string, width: number) =>
    sharp({ create: { width, height: 50, channels: 3, background: 'grey' } }).toFile(join(cwd, file));
  await Promise.all([make('ann/a.png', 50), make('ann/b.png', 60), make('ann/no-face.png', 60), make('two.png', 70)]);
});

test('faces are enrolled, then found; an image without one is told and the exit code is 1', async () => {
  const enrolled = await runCli(['enroll', '--gallery', 'people', '--person', 'Ann Lee', 'ann', '--json'], { cwd });
  expect(enrolled.exitCode).toBe(1);
  expect(enrolled.stderr).toContain('Expected a face in ann/no-face.png but found none');
  expect(JSON.parse(enrolled.stdout)).toEqual([
    { image: 'ann/a.png', person: 'Ann Lee', face: 1, magnitude: 5, quality: 50, total: 1 },
    { image: 'ann/b.png', person: 'Ann Lee', face: 2, magnitude: 6, quality: 73, total: 2 },
  ]);

  const found = await runCli(['identify', '--gallery', 'people', 'two.png'], { cwd });
  expect(found).toEqual({
    exitCode: 0,
    stderr: '',
    stdout: [
      'image    face  quality  person   similarity  same',
      'two.png     0       88  Ann Lee      1.0000  -',
      'two.png     1       73  Ann Lee      1.0000  -',
      '',
    ].join('\n'),
  });

  const load = async () => {
    const fake = fakeRecogniser();
    return { ...fake, model: { ...fake.model, digest: '1'.repeat(64) } };
  };
  const other = await runCli(['identify', '--gallery', 'people', 'two.png'], { cwd, services: { load } });
  expect(other.exitCode).toBe(2);
  expect(other.stderr).toContain(
    "Expected the gallery's own model fake (000000000000) but received fake (111111111111)",
  );
});

test('a mistyped gallery is told before a model is loaded, and nothing is made', async () => {
  const load = async () => {
    throw new Error('a model was loaded');
  };
  const run = await runCli(['identify', '--gallery', 'peopel', 'two.png'], { cwd, services: { load } });
  expect(run).toEqual({
    exitCode: 2,
    stdout: '',
    stderr: 'Expected a gallery at peopel but there is none: check --gallery, or make one with `magface enroll`.\n',
  });
  expect(existsSync(join(cwd, 'peopel'))).toBe(false);
});

test('a gallery without people says so', async () => {
  await runCli(['enroll', '--gallery', 'empty', '--person', 'Ann', 'ann/no-face.png'], { cwd });
  const run = await runCli(['identify', '--gallery', 'empty', 'two.png'], { cwd });
  expect([run.exitCode, run.stderr]).toEqual([0, 'Nobody is enrolled in empty yet.\n']);
});
