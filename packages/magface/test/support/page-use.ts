/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** What people do with the page, done in Chromium, and what axe says of it. */
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { samplePhoto } from './sample-photos.ts';

/** All six sample photos: 22 faces. */
export const photos: readonly string[] = ([1, 2, 3, 4, 5, 6] as const).map(samplePhoto);

/** The two pictures before the camera for two seconds each, of one and of two people, in a clip without a duration, by ffmpeg. */
export const clip: string = fileURLToPath(new URL('../fixtures/video/people.webm', import.meta.url));

/** A camera before which two of the people in the sample photos take turns, as Motion JPEG. @returns Chromium's flags */
export async function cameraArguments(folder: string): Promise<string[]> {
  const frame = (path: string, left: number, top: number): Promise<Buffer> =>
    sharp(path).extract({ left, top, width: 640, height: 480 }).jpeg({ chromaSubsampling: '4:2:0' }).toBuffer();
  const frames = [await frame(photos[0]!, 1200, 100), await frame(photos[5]!, 1280, 150)];
  const clip = join(folder, 'clip.mjpeg');
  await writeFile(clip, Buffer.concat(frames.flatMap((one) => Array.from({ length: 20 }, () => one))));
  return ['--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${clip}`];
}

/** Drops files as a person's pointer would. */
export async function drop(page: Page, paths: readonly string[]): Promise<void> {
  const files = paths.map((path) => ({
    name: basename(path),
    type: extname(path) === '.webm' ? 'video/webm' : 'image/jpeg',
    base64: readFileSync(path, 'base64'),
  }));
  const dataTransfer = await page.evaluateHandle((files) => {
    const transfer = new DataTransfer();
    for (const { name, type, base64 } of files) {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      transfer.items.add(new File([bytes], name, { type }));
    }
    return transfer;
  }, files);
  await page.locator('.drop').dispatchEvent('drop', { dataTransfer });
}

/** @returns the file that a button saves */
export async function saved(page: Page, button: string | RegExp): Promise<Uint8Array> {
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: button }).first().click();
  return readFile(await (await download).path());
}

/** Things to touch that are smaller than 44 x 44 pixels, one line each; the skip link is for keyboards. */
export function smallTargets(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll('button, a:not(.skip), input, select, summary')].flatMap((element) => {
      const { width, height } = (element.closest('label') ?? element).getBoundingClientRect();
      const isSmall = width > 0 && (width < 44 || height < 44);
      return isSmall ? [`${element.outerHTML.slice(0, 120)}: ${width} x ${height}`] : [];
    }),
  );
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Serious and critical findings of axe, one line each. */
export async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof import('axe-core') };
    const { violations } = await axe.run();
    const bad = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    return bad.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
}
