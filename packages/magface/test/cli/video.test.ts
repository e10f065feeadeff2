/** `magface video` with a made-up ffmpeg, which prints frames as PPM: tests need no ffmpeg. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Recogniser } from '../../src/cli/services.ts';
import { emptyFolder, fakeRecogniser, runCli } from './run-cli.ts';

const path = process.env['PATH'];
let cwd: string;
beforeEach(() => {
  cwd = emptyFolder();
  mkdirSync(join(cwd, 'bin'));
});
afterEach(() => {
  process.env['PATH'] = path;
});

/** @param body - of a program of Node that stands for ffmpeg */
function ffmpegIs(body: string): void {
  const file = join(cwd, 'bin/ffmpeg');
  writeFileSync(file, `#!${process.execPath}\n${body}`);
  chmodSync(file, 0o755);
  process.env['PATH'] = `${join(cwd, 'bin')}${delimiter}${path}`;
}
const frames = (count: number): string => `
for (let i = 0; i < ${count}; i++) process.stdout.write(Buffer.concat([Buffer.from('P6\\n80 60\\n255\\n'), Buffer.alloc(80 * 60 * 3, 40 + i)]));`;

/** Ann in the first ten frames and the last ten, with her best face in the 4th and 29th; Bea in the ten between. */
function recogniser(): Recogniser {
  const fake = fakeRecogniser({ thresholds: [{ fmr: 0.0001, threshold: 0.5 }] });
  const stream = async function* (inputs: AsyncIterable<unknown>) {
    let index = 0;
    for await (const input of inputs) {
      const isBea = index >= 10 && index < 20;
      const length = index === 3 ? 9 : index === 28 ? 8 : 5;
      const embedding = isBea ? Float32Array.of(0, 6, 0) : Float32Array.of(length, 0, 0);
      const face = {
        box: { x: 10, y: 10, width: 20, height: 20 },
        embedding,
        magnitude: isBea ? 6 : length,
        quality: 10 * length,
      };
      yield { input, index, image: { width: 80, height: 60 }, faces: [face] };
      index++;
    }
  };
  const threshold = () => ({ fmr: 0.0001, threshold: 0.5 });
  return { ...fake, stream, threshold } as unknown as Recogniser;
}
const run = (...words: string[]) => runCli(['video', ...words], { cwd, services: { load: async () => recogniser() } });

test('finds the people of a clip, their times and their best shots', async () => {
  ffmpegIs(frames(30));
  const { exitCode, stdout } = await run(
    './clip.mp4',
    '--best',
    '2',
    '--output',
    'best',
    '--report',
    'r.html',
    '--json',
  );
  expect(exitCode).toBe(0);
  const box = { x: 10, y: 10, width: 20, height: 20 };
  expect(JSON.parse(stdout)).toEqual([
    {
      person: 1,
      frames: 20,
      seen: [
        [0, 1.8],
        [4, 5.8],
      ],
      best: [
        { time: 0.6, quality: 90, magnitude: 9, box, output: 'best/person-1_1_0.6s.jpg' },
        { time: 5.6, quality: 80, magnitude: 8, box, output: 'best/person-1_2_5.6s.jpg' },
      ],
    },
    {
      person: 2,
      frames: 10,
      seen: [[2, 3.8]],
      best: [
        { time: 2, quality: 50, magnitude: 6, box, output: 'best/person-2_1_2.0s.jpg' },
        { time: 3, quality: 50, magnitude: 6, box, output: 'best/person-2_2_3.0s.jpg' },
      ],
    },
  ]);
  expect(readdirSync(join(cwd, 'best'))).toHaveLength(4);
  const { width, height } = await sharp(join(cwd, 'best/person-1_1_0.6s.jpg')).metadata();
  expect([width, height]).toEqual([40, 40]);
  const page = readFileSync(join(cwd, 'r.html'), 'utf8');
  expect(page).toContain('<h1>People in clip.mp4</h1>');
  expect(page).toContain('2 people in 0:06.0 of video.');
  expect(page).toContain('In view 0:00.0 to 0:01.8, 0:04.0 to 0:05.8; 20 frames.');
});

test('prints a table', async () => {
  ffmpegIs(frames(30));
  const { stdout } = await run('clip.mp4');
  expect(
    stdout
      .split('\n')
      .slice(1, 3)
      .map((line) => line.trim().split(/\s+/)),
  ).toEqual([
    ['1', '20', '0:00.0', '0:05.8', '0:00.6', '90'],
    ['2', '10', '0:02.0', '0:03.8', '0:02.0', '50'],
  ]);
});

test('says that ffmpeg is missing, or why it cannot decode the clip', async () => {
  process.env['PATH'] = join(cwd, 'bin');
  expect((await run('clip.mp4')).stderr).toBe(
    'Expected ffmpeg on the PATH, which decodes videos, but found none: install it.\n',
  );
  ffmpegIs(`process.stderr.write('moov atom not found\\n'); process.exitCode = 1;`);
  expect(await run('clip.mp4')).toMatchObject({
    exitCode: 1,
    stderr: 'Expected a video but ffmpeg cannot decode clip.mp4 (moov atom not found): convert it.\n',
  });
});
