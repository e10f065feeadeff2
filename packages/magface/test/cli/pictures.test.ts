/** Pictures for pages: of every photo that gives faces, also of one that makes a decoder grumble. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { encodedPicture, thumbnail } from '../../src/cli/pictures.ts';
import { fixtureBytes } from '../support/fixtures.ts';
import { emptyFolder, fakeRecogniser, runCli } from './run-cli.ts';

const plain = { create: { width: 60, height: 60, channels: 3, background: 'grey' } } as const;

/** A JPEG with bytes between its segments that belong to nothing, as some tools leave: a warning, and all pixels are there. */
async function grumblingJpeg(): Promise<Buffer> {
  const whole = await sharp(plain).jpeg().toBuffer();
  const at = whole.indexOf(Buffer.of(0xff, 0xdb)); // the first table
  return Buffer.concat([whole.subarray(0, at), Buffer.alloc(40, 7), whole.subarray(at)]);
}

test('shows a JPEG with a harmless warning, but not a truncated one', async () => {
  const jpeg = await grumblingJpeg();
  await expect(sharp(jpeg).raw().toBuffer()).rejects.toThrow('extraneous bytes'); // by sharp's own default
  expect(await encodedPicture(jpeg, 30)).toMatch(/^data:image\/jpeg;base64,/);
  const png = await sharp({ create: { ...plain.create, noise: { type: 'gaussian', mean: 128, sigma: 30 } } })
    .png()
    .toBuffer();
  const cut = png.subarray(0, png.length / 2);
  await expect(encodedPicture(cut, 30)).rejects.toThrow();
  await expect(thumbnail(join(emptyFolder(), 'gone.jpg'), 30)).rejects.toThrow();
});

test('shows HEIC, which sharp cannot read', async () => {
  const heic = fixtureBytes('images/quads.heic'); // 96x64, its left upper quarter red
  const jpeg = Buffer.from((await encodedPicture(heic, 48)).split(',')[1]!, 'base64');
  const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
  expect([info.width, info.height]).toEqual([48, 32]);
  expect(data[3 * (5 * 48 + 5)]).toBeGreaterThan(200);
  expect(data[3 * (5 * 48 + 5) + 1]).toBeLessThan(60);
});

test('quality --report shows a photo with a warning and omits one that has disappeared', async () => {
  const cwd = emptyFolder();
  mkdirSync(join(cwd, 'photos'));
  writeFileSync(join(cwd, 'photos/a.jpg'), await grumblingJpeg());
  for (const name of ['b', 'c']) await sharp(plain).toFile(join(cwd, `photos/${name}.png`));
  const fake = fakeRecogniser();
  const stream: typeof fake.stream = async function* (inputs, options) {
    for await (const done of fake.stream(inputs, options)) {
      if (String(done.input).endsWith('b.png')) rmSync(join(cwd, 'photos/b.png'));
      yield done;
    }
  };
  const services = { load: async () => ({ ...fake, stream }) };
  const run = await runCli(['quality', 'photos', '--report', 'r.html', '--json', '--quiet'], { cwd, services });
  expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  expect(JSON.parse(run.stdout)).toHaveLength(3);
  const { images } = JSON.parse(readFileSync(join(cwd, 'r.html'), 'utf8')) as { images: { picture: string }[] };
  expect(images.map(({ picture }) => picture.slice(0, 10))).toEqual(['data:image', '', 'data:image']);
});
