/** `npm run data`: what a person downloaded is checked, aligned and arranged. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, expect, test } from 'vitest';
import { template } from '../src/align.ts';
import type { DetectedFace } from '../src/face.ts';
import type { Pixels } from '../src/pixels.ts';

const bench = fileURLToPath(new URL('../../../bench/', import.meta.url));
type Tools = { detect: (image: Pixels) => Promise<readonly DetectedFace[]> };
type Files = readonly { source: string; target: string }[];
const { alignAll, researchSets } = (await import(`${bench}support/research-sets.ts`)) as {
  alignAll: (files: Files, tools: Tools) => Promise<string[]>;
  researchSets: Record<string, { arrange: (downloaded: string, place: string, tools: Tools) => Promise<string> }>;
};

const folder = mkdtempSync(join(tmpdir(), 'research sets '));
afterAll(() => rmSync(folder, { recursive: true }));

/** Two faces in the picture: one in the middle, which the picture is of, and a larger one beside it. */
const face = (x: number, size: number): DetectedFace => ({
  box: { x, y: 0, width: size, height: size },
  landmarks: template.map(([u, v]) => [u + x, v] as const) as unknown as DetectedFace['landmarks'],
  mouth: 'corners',
  detection: 0.9,
});
const tools: Tools = { detect: async ({ width }) => (width < 300 ? [] : [face(0, 200), face(100, 112)]) };

test('aligns the face in the middle, reports an image without one, and does nothing in a second run', async () => {
  const source = join(folder, 'ann.png');
  const half = await sharp({ create: { width: 100, height: 112, channels: 3, background: 'black' } })
    .png()
    .toBuffer();
  const white = { create: { width: 312, height: 112, channels: 3 as const, background: 'white' } };
  await sharp(white)
    .composite([{ input: half, left: 0, top: 0 }])
    .toFile(source);
  const empty = join(folder, 'empty.png');
  await sharp({ create: { width: 200, height: 100, channels: 3, background: 'white' } }).toFile(empty);
  const files = [
    { source, target: join(folder, 'aligned/Ann/1.jpg') },
    { source: empty, target: join(folder, 'aligned/Ann/2.jpg') },
  ];
  expect(await alignAll(files, tools)).toEqual([empty]);
  const { data, info } = await sharp(files[0]!.target).raw().toBuffer({ resolveWithObject: true });
  expect([info.width, info.height]).toEqual([112, 112]);
  expect(Math.min(...data)).toBeGreaterThan(250); // white alone: the black half belongs to the other face
  const made = statSync(files[0]!.target).mtimeMs;
  await alignAll(files, tools);
  expect(statSync(files[0]!.target).mtimeMs).toBe(made);
});

test.each([
  ['lfw', 'lfw-deepfunneled/A/A_0001.jpg', 'Expected 13233 images in'],
  ['celeba', 'identity_CelebA.txt', 'Expected 202599 lines of identity_CelebA.txt in'],
  ['cfp', 'Data/Images/001/frontal/01.jpg', 'Expected 7000 images in'],
])('%s: rejects a part of the set', async (name, file, message) => {
  const path = join(folder, name, file);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, '000001.jpg 7201\n');
  await expect(researchSets[name]!.arrange(join(folder, name), join(folder, 'place'), tools)).rejects.toThrow(message);
});

test('every bench that reads research data uses the helper that says how to get it', () => {
  const helper = readFileSync(`${bench}support/data.ts`, 'utf8');
  for (const name of Object.keys(researchSets)) expect(helper).toContain(`npm run data -- ${name}`);
});
