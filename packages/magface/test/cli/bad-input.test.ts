/** Bad input ends in a sentence that says what to do, and never stops the good inputs beside it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { ModelError } from '../../src/errors.ts';
import { pngFile } from '../support/png.ts';
import { emptyFolder, runCli } from './run-cli.ts';

async function picture(file: string, side = 60): Promise<void> {
  await sharp({ create: { width: side, height: side, channels: 3, background: 'grey' } }).toFile(file);
}

/** A PNG that claims 30,000 x 30,000 pixels (2.7 GB decoded) in a hundred bytes. */
const bomb = (): Buffer => pngFile({ width: 30_000, height: 30_000, kind: [8, 2], rows: Buffer.alloc(8) });

test('an empty folder, a folder without images or a glob without matches exits with 2 and a remedy', async () => {
  const cwd = emptyFolder();
  mkdirSync(join(cwd, 'empty'));
  mkdirSync(join(cwd, 'texts'));
  writeFileSync(join(cwd, 'texts', 'a.txt'), 'a');
  const kinds = 'JPEG, PNG, WebP, AVIF, TIFF or GIF';
  expect(await runCli(['quality', 'empty', '--json'], { cwd })).toEqual({
    exitCode: 2,
    stdout: '',
    stderr: `Expected images in the folder empty but it is empty: put ${kinds} files there.\n`,
  });
  expect((await runCli(['quality', 'texts'], { cwd })).stderr).toBe(
    `Expected images in the folder texts but none of its files has an image extension (.txt): put ${kinds} files there.\n`,
  );
  const glob = await runCli(['quality', '*.jpeg'], { cwd });
  expect(glob.exitCode).toBe(2);
  expect(glob.stderr).toContain('Expected images that match *.jpeg but nothing matches: check the pattern');
});

test('an empty folder, glob or list among images is named in its place, and the rest is processed', async () => {
  const cwd = emptyFolder();
  mkdirSync(join(cwd, 'empty'));
  writeFileSync(join(cwd, 'empty.list'), '');
  await picture(join(cwd, 'a.png'));
  await picture(join(cwd, 'b.png'));
  const words = ['empty', 'a.png', '*.jpeg', 'b.png', '--list', 'empty.list', '--list', 'gone.list'];
  const run = await runCli(['quality', ...words, '--json'], { cwd });
  expect(run.exitCode).toBe(1);
  const rows = JSON.parse(run.stdout) as { image: string; error?: { code: string; message: string } }[];
  expect(rows.map(({ image, error }) => [image, error?.code])).toEqual([
    ['empty', 'image_missing'],
    ['a.png', undefined],
    ['*.jpeg', 'image_missing'],
    ['b.png', undefined],
    ['empty.list', 'image_missing'],
    ['gone.list', 'image_missing'],
  ]);
  const messages = rows.flatMap(({ error }) => error?.message ?? []);
  expect(run.stderr).toBe(messages.map((message) => `${message}\n`).join(''));
  expect(messages[0]).toContain('Expected images in the folder empty but it is empty');
  const embed = await runCli(['embed', 'empty', 'a.png', '--output', 'f.list'], { cwd });
  expect([embed.exitCode, embed.stdout]).toEqual([1, '1 image, 1 face, features of 2 values, in f.list\n']);
});

test('text named .jpg, an empty file, a PNG bomb, a missing file and a photo without a face are named, and the rest is processed', async () => {
  const cwd = emptyFolder();
  writeFileSync(join(cwd, 'text.jpg'), 'this is no image');
  writeFileSync(join(cwd, 'nothing.jpg'), '');
  writeFileSync(join(cwd, 'bomb.png'), bomb());
  await picture(join(cwd, 'no-face.png'));
  await picture(join(cwd, 'good.png'));
  const bad = ['text.jpg', 'nothing.jpg', 'bomb.png', 'gone.jpg', 'no-face.png'];
  const run = await runCli(['quality', ...bad, 'good.png', '--json'], { cwd });
  expect(run.exitCode).toBe(1);
  const rows = JSON.parse(run.stdout) as {
    image: string;
    error?: { code: string; message: string };
    quality?: number;
  }[];
  expect(rows.map(({ image, error }) => [image, error?.code])).toEqual([
    ['text.jpg', 'image_unreadable'],
    ['nothing.jpg', 'image_unreadable'],
    ['bomb.png', 'image_too_large'],
    ['gone.jpg', 'image_missing'],
    ['no-face.png', 'no_face'],
    ['good.png', undefined],
  ]);
  expect(rows[5]?.quality).toBe(73.1); // 100 / (1 + exp(5 - 6))
  const lines = run.stderr.trim().split('\n');
  expect(lines).toHaveLength(5);
  for (const [at, name] of bad.entries()) {
    expect(lines[at]).toContain(name);
    expect(lines[at]).not.toContain(cwd);
    expect(lines[at]).toBe(rows[at]?.error?.message);
  }
});

test('paths with spaces and umlauts keep their names, given as words, folders, globs and on stdin', async () => {
  const cwd = emptyFolder();
  mkdirSync(join(cwd, 'Fotos für Oma'));
  await picture(join(cwd, 'Fotos für Oma', 'schöner Tag.png'));
  const name = 'Fotos für Oma/schöner Tag.png';
  for (const words of [[name], ['Fotos für Oma'], ['*/*.png'], ['-']]) {
    const run = await runCli(['quality', ...words, '--format', 'jsonl'], { cwd, stdin: `${name}\r\n` });
    expect(run.exitCode).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ image: name, face: 0, quality: 73.1 });
  }
});

test('accepts 5,000 paths on stdin', async () => {
  const cwd = emptyFolder();
  await picture(join(cwd, 'a b.png'));
  const run = await runCli(['quality', '-', '--format', 'csv', '--quiet'], { cwd, stdin: 'a b.png\n'.repeat(5000) });
  expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  expect(run.stdout.split('\n')).toHaveLength(5002);
});

test('empty stdin, an empty list and a missing list are rejected', async () => {
  const cwd = emptyFolder();
  writeFileSync(join(cwd, 'empty.list'), '\n');
  expect((await runCli(['quality', '-'], { cwd })).stderr).toContain(
    'Expected one path per line on stdin but it was empty',
  );
  const list = await runCli(['quality', '--list', 'empty.list'], { cwd });
  expect(list).toMatchObject({ exitCode: 2 });
  expect(list.stderr).toContain('Expected one image per line in empty.list but it is empty');
  expect((await runCli(['quality', '--list', 'gone'], { cwd })).stderr).toContain('cannot be read: check its path');
});

test('an aligned face of the wrong size is rejected', async () => {
  const cwd = emptyFolder();
  await picture(join(cwd, 'big.png'), 200);
  const run = await runCli(['quality', 'big.png', '--aligned'], { cwd });
  expect(run.exitCode).toBe(1);
  const found = 'Expected an aligned face of 112x112 pixels but big.png has 200x200';
  expect(run.stderr).toBe(`${found}: align it first, or omit --aligned.\n`);
  await picture(join(cwd, 'face.png'), 112);
  const compare = await runCli(['compare', 'big.png', 'face.png', '--aligned'], { cwd });
  expect(compare.stderr).toBe(`${found}: align it first, or omit --aligned.\n`);
});

test('an unusable model exits with 2 and one sentence; --debug adds the stack', async () => {
  const cwd = emptyFolder();
  await picture(join(cwd, 'a.png'));
  const load = async () => {
    throw new ModelError('model_not_onnx', 'x.onnx', {
      expected: 'an ONNX model',
      problem: 'it is text',
      remedy: 'export it',
    });
  };
  const run = await runCli(['quality', 'a.png', '--model', 'x.onnx'], { cwd, services: { load } });
  expect(run).toEqual({ exitCode: 2, stdout: '', stderr: 'Expected an ONNX model but it is text: export it.\n' });
  const debug = await runCli(['quality', 'a.png', '--debug'], { cwd, services: { load } });
  expect(debug.stderr).toContain('bad-input.test.ts');
});

test('the command itself suggests the nearest word for an unknown one, and accepts a closed pipe silently', () => {
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
  const magface = `"${process.execPath}" --import tsx -C magface:source "${main}"`;
  const script = `${magface} qualty; echo $?; ${magface} quality --modle x; echo $?; ${magface} --help | true; echo $?`;
  const out = execFileSync('bash', ['-c', `{ ${script}; } 2>&1`], { encoding: 'utf8' });
  const hint = 'Run with --help to see all commands and options.\n2\n';
  expect(out).toBe(
    `Unknown command 'qualty'\n(Did you mean quality?)\n${hint}Unknown option '--modle'\n(Did you mean --model?)\n${hint}0\n`,
  );
});

test('counts a photo once, however many links lead to it', async () => {
  const cwd = emptyFolder();
  mkdirSync(join(cwd, 'photos/sub'), { recursive: true });
  await picture(join(cwd, 'photos/b.png'));
  await picture(join(cwd, 'photos/sub/c.png'));
  await picture(join(cwd, 'elsewhere.png'));
  symlinkSync('.', join(cwd, 'photos/loop'));
  symlinkSync('sub', join(cwd, 'photos/again'));
  symlinkSync('b.png', join(cwd, 'photos/a.png'));
  symlinkSync('../elsewhere.png', join(cwd, 'photos/d.png'));
  for (const words of ['photos', 'photos/**']) {
    const { stdout, stderr } = await runCli(['quality', words, '--format', 'csv'], { cwd });
    const names = stdout.trim().split('\n').slice(1);
    expect(names.map((line) => line.split(',')[0])).toEqual(['photos/b.png', 'photos/d.png', 'photos/sub/c.png']);
    expect(stderr).toMatch(/^Skipped in photos\S*: \d+ links to photos that are already included\.\n$/);
  }
});

test('counts other files next to photos, and rejects a named file of an unreadable kind', async () => {
  const cwd = emptyFolder();
  mkdirSync(join(cwd, 'photos'));
  await picture(join(cwd, 'photos/a.png'));
  for (const name of ['x.txt', 'y.TXT', 'z.mp4', 'README']) writeFileSync(join(cwd, 'photos', name), 'x');
  writeFileSync(join(cwd, 'photos/old.bmp'), Buffer.from('BM\u0046\u0000\u0000\u0000', 'latin1'));
  const run = await runCli(['quality', 'photos', '--format', 'csv'], { cwd });
  const refusal =
    'Expected a JPEG, PNG, WebP, AVIF, TIFF or GIF image but photos/old.bmp is a BMP image: save it as PNG or JPEG.';
  expect(run.exitCode).toBe(1);
  expect(run.stderr).toBe(
    `Skipped in photos: 4 files of other kinds (.txt, without an extension, .mp4).\n${refusal}\n`,
  );
  expect((await runCli(['quality', 'photos', '-q'], { cwd })).stderr).toBe(`${refusal}\n`);
});

test('accepts an image whose name begins with a dash, and explains how to write such a folder', async () => {
  const cwd = emptyFolder();
  await picture(join(cwd, '-dash.png'));
  mkdirSync(join(cwd, '-photos'));
  const run = await runCli(['quality', '-dash.png', '--format', 'csv'], { cwd });
  expect([run.exitCode, run.stderr, run.stdout.split('\n')[1]?.split(',')[0]]).toEqual([0, '', './-dash.png']);
  const folder = await runCli(['quality', '-photos'], { cwd });
  expect(folder.exitCode).toBe(2);
  expect(folder.stderr).toContain('If you mean the file or folder of this name, write ./-photos.');
});
