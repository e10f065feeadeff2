/** `enroll` and `identify`, against a recogniser whose faces all look one way. */

import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, expect, test } from 'vitest';
import { emptyFolder, fakeRecogniser, runCli } from './run-cli.ts';

const cwd = emptyFolder();

beforeAll(async () => {
  mkdirSync(join(cwd, 'ann'));
  const make = (file: string, width: number) =>
    sharp({ create: { width, height: 50, channels: 3, background: 'grey' } }).toFile(join(cwd, file));
  await Promise.all([
    make('ann/a.png', 50),
    make('ann/b.png', 60),
    make('ann/no-face.png', 60),
    make('two.png', 70),
    make('poor.png', 10),
  ]);
});

test('enrolled faces are found; an image without a face is reported with exit code 1', async () => {
  const enrolled = await runCli(['enroll', '--gallery', 'people', '--person', 'Ann Lee', 'ann', '--json'], { cwd });
  expect(enrolled.exitCode).toBe(1);
  expect(enrolled.stderr).toContain('Expected a face but ann/no-face.png shows none');
  expect(JSON.parse(enrolled.stdout)).toEqual([
    { image: 'ann/a.png', person: 'Ann Lee', face: 1, magnitude: 5, quality: 50, total: 1, known: false },
    { image: 'ann/b.png', person: 'Ann Lee', face: 2, magnitude: 6, quality: 73.1, total: 2, known: false },
  ]);

  const found = await runCli(['identify', '--gallery', 'people', 'two.png'], { cwd });
  expect(found).toEqual({
    exitCode: 0,
    stderr: 'fake has no threshold, so only similarities are shown: measure one with `magface calibrate --pairs`.\n',
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
  expect(other.stderr).toContain("Expected the gallery's model fake (000000000000) but received fake (111111111111)");
});

test('a mistyped gallery is reported before a model is loaded, and no gallery is created', async () => {
  const load = async () => {
    throw new Error('a model was loaded');
  };
  const run = await runCli(['identify', '--gallery', 'peopel', 'two.png'], { cwd, services: { load } });
  expect(run).toEqual({
    exitCode: 2,
    stdout: '',
    stderr: 'Expected a gallery at peopel but there is none: check --gallery, or create one with `magface enroll`.\n',
  });
  expect(existsSync(join(cwd, 'peopel'))).toBe(false);
});

test('an empty gallery says so', async () => {
  await runCli(['enroll', '--gallery', 'empty', '--person', 'Ann', 'ann/no-face.png'], { cwd });
  const run = await runCli(['identify', '--gallery', 'empty', 'two.png'], { cwd });
  expect([run.exitCode, run.stderr]).toEqual([0, 'The gallery empty has no people yet.\n']);
});

const enroll = (...words: string[]) => runCli(['enroll', ...words], { cwd });

test('a person without a name is rejected before anything is created', async () => {
  for (const name of ['', '  ']) {
    const run = await enroll('--gallery', 'nameless', '--person', name, 'ann/a.png');
    expect([run.exitCode, run.stderr]).toEqual([
      2,
      'Expected a name for --person but it is empty: pass another name.\n',
    ]);
  }
  expect(existsSync(join(cwd, 'nameless'))).toBe(false);
});

test('a folder of photos does not become a gallery', async () => {
  const run = await enroll('--gallery', 'ann', '--person', 'Ann', 'ann/a.png');
  expect([run.exitCode, run.stderr]).toEqual([
    2,
    'Expected a gallery or an empty folder at ann but it contains other files, such as a.png: use a folder only for the gallery.\n',
  ]);
  expect(readdirSync(join(cwd, 'ann')).sort()).toEqual(['a.png', 'b.png', 'no-face.png']);
});

test('a repeated image, several faces and a poor face are reported, and accepted only on request', async () => {
  const again = await enroll('--gallery', 'people', '--person', 'Ann Lee', 'ann/a.png', '--json');
  expect([again.exitCode, again.stderr]).toEqual([
    0,
    'ann/a.png is not added again, because Ann Lee already has this picture as face 1.\n',
  ]);
  expect(JSON.parse(again.stdout)).toMatchObject([{ face: 1, total: 2, known: true }]);

  const refused = await enroll('--gallery', 'people', '--person', 'Bob', 'two.png', 'poor.png', '--json');
  expect(refused).toEqual({
    exitCode: 1,
    stdout: '[]\n',
    stderr: [
      'Expected one face but two.png shows 2: crop the image to the person, or use the largest face with --largest.',
      'Expected a face of quality 5 or more but poor.png shows one of quality 1.7 (blurred: edges 3.2 pixels wide in the aligned face, at most 1.35 is good): take a better photo, or lower --min-quality.',
      '',
    ].join('\n'),
  });
  const thresholds = [{ fmr: 0.001, threshold: 0.3, set: 's' }];
  const services = { load: async () => fakeRecogniser({ thresholds }) };
  const twin = ['enroll', '--gallery', 'people', '--person', 'Eve', '--largest', 'two.png'];
  expect(await runCli(twin, { cwd, services })).toMatchObject({
    exitCode: 1,
    stderr:
      'Expected a new person, Eve, in two.png but it shows Ann Lee, who is already enrolled (similarity 1.00): enrol it as Ann Lee, or accept it with --accept-doubtful.\n',
  });
  expect((await runCli([...twin, '--accept-doubtful'], { cwd, services })).exitCode).toBe(0);

  const file = await enroll('--gallery', 'two.png', '--person', 'Ann', 'ann/a.png');
  expect([file.exitCode, file.stderr]).toEqual([
    2,
    'Expected a folder for the gallery but two.png is a file: name a folder.\n',
  ]);
  const flags = ['--largest', '--min-quality', '0', '--json'];
  const taken = await enroll('--gallery', 'people', '--person', 'Bob', 'two.png', 'poor.png', ...flags);
  expect([taken.exitCode, JSON.parse(taken.stdout)]).toMatchObject([0, [{ quality: 88.1 }, { quality: 1.8 }]]);
});

test('identify prints threshold and rate, and what the rate means among many people', async () => {
  const thresholds = [
    { fmr: 0.01, threshold: 0.2, set: 's' },
    { fmr: 0.001, threshold: 0.31234567, set: 's' },
  ];
  const services = { load: async () => fakeRecogniser({ thresholds }) };
  const words = ['identify', '--gallery', 'people', 'ann/a.png'];
  const run = await runCli([...words, '--fmr', '0.005'], { cwd, services });
  expect(run.stderr).toBe(
    [
      'Threshold 0.3123, measured at a false match rate of 0.001, the next stricter measured rate than the 0.005 asked for, for one comparison.',
      'Every face is compared with 3 people: expect about 0.003 false hits for each face of a stranger (0.001 x 3).',
      '',
    ].join('\n'),
  );
  const [row] = JSON.parse((await runCli([...words, '--json'], { cwd, services })).stdout);
  expect(row).toMatchObject({
    same: true,
    threshold: 0.31234567,
    fmr: 0.001,
    fmrAsked: 0.001,
    expectedFalseHits: 0.003,
  });
  const stricter = await runCli([...words, '--fmr', '0.0001'], { cwd, services });
  expect([stricter.exitCode, stricter.stdout]).toEqual([2, '']);
  expect(stricter.stderr).toContain(
    'Expected a false match rate of at least 0.001 (the strictest measured for this model',
  );
});

test('identify reads a gallery that another process has open', async () => {
  const { Gallery } = await import('../../src/gallery/gallery.ts');
  const { model } = fakeRecogniser();
  await using _ = await Gallery.open(join(cwd, 'people'), { ...model, embeddingLength: 2 });
  const run = await runCli(['identify', '--gallery', 'people', 'ann/a.png', '-q', '--format', 'csv'], { cwd });
  expect([run.exitCode, run.stderr, run.stdout.split('\n')[0]]).toEqual([
    0,
    '',
    'image,face,quality,person,similarity,same,threshold,fmr,expectedFalseHits',
  ]);
});

test('a folder per person is enrolled at once, with consent and a time to keep', async () => {
  await mkdir(join(cwd, 'team/Ann Lee'), { recursive: true });
  await mkdir(join(cwd, 'team/Bob'), { recursive: true });
  for (const [from, to] of [
    ['ann/a.png', 'team/Ann Lee/1.png'],
    ['ann/b.png', 'team/Ann Lee/2.png'],
    ['two.png', 'team/Bob/1.png'],
    ['poor.png', 'team/Bob/2.png'],
    ['ann/a.png', 'team/stray.png'],
  ] as const)
    await copyFile(join(cwd, from), join(cwd, to));
  const flags = ['--consent', 'signed', '--retain', '90d', '--min-quality', '5', '--json'];
  const run = await enroll('--gallery', 'team gallery', 'team', ...flags);
  expect([run.exitCode, run.stderr.split('\n')]).toEqual([
    1,
    [
      expect.stringContaining('Expected a face of quality 5 or more but team/Bob/2.png shows one of quality 1.7'),
      'Expected team/stray.png in a folder with the name of its person but it lies in none: move it, or pass --person.',
      '',
    ],
  ]);
  expect(JSON.parse(run.stdout)).toMatchObject([
    { image: 'team/Ann Lee/1.png', person: 'Ann Lee', total: 1 },
    { image: 'team/Ann Lee/2.png', person: 'Ann Lee', total: 2 },
    { image: 'team/Bob/1.png', person: 'Bob', total: 1 },
  ]);
  const file = await enroll('--gallery', 'team gallery', 'ann/a.png');
  expect([file.exitCode, file.stderr]).toEqual([
    2,
    'Expected --person NAME, or a folder that holds a folder for each person, but ann/a.png is not a folder: pass one of them.\n',
  ]);
  const time = await enroll('--gallery', 'team gallery', 'team', '--retain', '90');
  expect([time.exitCode, time.stderr]).toEqual([2, expect.stringContaining('Expected a time such as 90d, 12w or 2y.')]);
});

const gallery = (...words: string[]) => runCli(['gallery', ...words, '--gallery', 'team gallery'], { cwd });

test('a gallery is listed, shown, checked, corrected and copied', async () => {
  const list = await gallery('list');
  const day = new Date().toISOString().slice(0, 10);
  expect(list).toMatchObject({
    exitCode: 0,
    stderr: '2 people, 3 faces of fake; protection: none.\n',
  });
  expect(list.stdout.split('\n').map((line) => line.trim().split(/ {2,}/)[0])).toEqual([
    'person',
    'Ann Lee',
    'Bob',
    '',
  ]);
  expect(list.stdout).toContain(day);
  const shown = JSON.parse((await gallery('show', 'Bob', '--json')).stdout);
  expect(shown).toEqual([
    expect.objectContaining({ face: 3, image: 'team/Bob/1.png', quality: 88.1, expires: expect.stringMatching(/^20/) }),
  ]);
  expect((await gallery('show', 'Eve')).stderr).toBe(
    'Expected a person in the gallery but Eve is not in it: check the name.\n',
  );

  const thresholds = [{ fmr: 0.001, threshold: 0.3, set: 's' }];
  const { model } = fakeRecogniser({ thresholds });
  const services = { loadModel: async () => model as never };
  const check = await runCli(['gallery', 'check', '--gallery', 'team gallery'], { cwd, services });
  expect([check.exitCode, check.stdout.split('\n').slice(0, 2)]).toEqual([
    1,
    [
      expect.stringMatching(/^2 people, 3 faces: 1 pairs are probably one person/),
      'Ann Lee and Bob are probably one person (similarity 1.00).',
    ],
  ]);

  expect((await gallery('export', 'bob.jsonl', '--person', 'Bob')).stdout).toBe('Wrote 1 person to bob.jsonl.\n');
  expect((await gallery('rename', 'Bob', 'Robert')).stdout).toBe('Renamed Bob to Robert (1 face).\n');
  expect((await gallery('merge', 'Robert', 'Ann Lee')).stdout).toBe('Moved 1 face of Robert to Ann Lee.\n');
  const [first] = JSON.parse((await gallery('show', 'Ann Lee', '--json')).stdout);
  expect((await gallery('forget', 'Ann Lee', '--face', `${first.face}`)).stdout).toBe('Forgot 1 face of Ann Lee.\n');
  expect((await gallery('forget', 'Ann Lee', '--face', '999')).stderr).toContain('Expected face 999 of Ann Lee');
  expect((await gallery('import', 'bob.jsonl')).stdout).toBe('Added 1 faces of 1 people; 0 were known.\n');
  expect((await gallery('forget', 'Ann Lee')).stdout).toBe('Forgot 2 faces of Ann Lee.\n');
  expect(JSON.parse((await gallery('log', '--person', 'Ann Lee', '--json')).stdout)).toMatchObject([
    { faces: 1, reason: 'face forgotten' },
    { faces: 2, reason: 'person forgotten' },
  ]);

  await writeFile(join(cwd, 'key.txt'), '7'.repeat(64));
  const migrated = await gallery('migrate', '--to', 'safe', '--new-key', 'key.txt');
  expect(migrated.stdout).toBe('Copied 1 faces of 1 people to safe (protection: sealed); 0 were known.\n');
  const closed = await runCli(['gallery', 'list', '--gallery', 'safe'], { cwd });
  expect([closed.exitCode, closed.stderr]).toEqual([2, expect.stringContaining('pass --gallery-key FILE or set')]);
  const env = { MAGFACE_GALLERY_KEY: '7'.repeat(64) };
  expect(
    (await runCli(['gallery', 'list', '--gallery', 'safe', '-q', '--format', 'csv'], { cwd, env })).stdout,
  ).toMatch(/^person,faces,best_quality,added,expires,consent\nBob,1,88.1,/);
});

test('identify --fpir names a person, or says unknown', async () => {
  const thresholds = [{ fmr: 0.001, threshold: 0.3, set: 's' }];
  const services = { load: async () => fakeRecogniser({ thresholds }) };
  const words = ['identify', '--gallery', 'people', 'ann/a.png', '--fpir', '0.01'];
  const run = await runCli(words, { cwd, services });
  expect(run.stderr).toBe(
    "Threshold 0.3000, at which a share of 0.01 of strangers is named: from the model's measured rates, since 3 people are too few to measure.\n",
  );
  expect(run.stdout.split('\n')[0]).toMatch(/image +face +quality +person +similarity +margin +named/);
  const [row] = JSON.parse((await runCli([...words, '--json'], { cwd, services })).stdout);
  expect(row).toMatchObject({ named: expect.any(String), openSet: { source: 'model', fpir: 0.01 } });
});
