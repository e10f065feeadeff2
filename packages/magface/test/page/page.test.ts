/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** The page as people use it: built, written by `magface page`'s own function, served plainly, driven in Chromium. */
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writePage } from '../../src/hosting/write-page.ts';
import { loadModel } from '../../src/models/load-model.ts';
import { openChromium, withoutChromium } from '../support/chromium.ts';
import { type FileServer, serveFiles } from '../support/file-server.ts';
import { cameraArguments, clip, drop, photos, saved, seriousFindings } from '../support/page-use.ts';

/** A BMP file that browsers do read: 24 bits, rows of a multiple of four bytes. */
function bitmapFile(pixels: Uint8Array, width: number, height: number): Buffer {
  const head = Buffer.alloc(54);
  head.write('BM');
  head.writeUInt32LE(54 + pixels.length, 2);
  head.writeUInt32LE(54, 10);
  head.writeUInt32LE(40, 14);
  head.writeInt32LE(width, 18);
  head.writeInt32LE(height, 22);
  head.writeUInt16LE(1, 26);
  head.writeUInt16LE(24, 28);
  return Buffer.concat([head, pixels]);
}

describe.skipIf(withoutChromium)(`the page in Chromium${withoutChromium ?? ''}`, () => {
  let folder: string;
  let server: FileServer;
  let browser: Browser;
  let page: Page;
  const said: string[] = [];
  const asks: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'magface-page-'));
    const models = [
      await loadModel('fr-feature', { kind: 'recogniser' }),
      await loadModel('yunet', { kind: 'detector' }),
      await loadModel('face-aligner', { kind: 'aligner' }),
    ];
    await writePage(join(folder, 'site'), models);
    server = await serveFiles(join(folder, 'site'));
    browser = await openChromium({ args: await cameraArguments(folder) });
    page = await browser.newPage({ viewport: { width: 1200, height: 900 }, permissions: ['camera'] });
    page.setDefaultTimeout(120_000); // for machines that do much else
    page.on('console', (message) => said.push(message.text()));
    page.on('pageerror', (error) => said.push(String(error)));
    await page.goto(server.address);
    await page.getByText('About the models').waitFor();
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('boxes, scores and groups 22 faces of dropped photos, and saves a table and a zip', async () => {
    await drop(page, photos);
    await page.getByText('Finished: 22 faces in 6 photos.').waitFor();
    expect(await page.locator('.photo .box').count()).toBe(22);
    const scores = (): Promise<number[]> =>
      page.locator('.face .score b').evaluateAll((all) => all.map((one) => Number(one.textContent)));
    expect(await scores()).toEqual((await scores()).toSorted((a, b) => b - a));
    expect(await page.getByText(/turned away: about [\d.]+° to the side, at most 30 is good/).count()).toBeGreaterThan(
      0,
    );
    const all = await scores();
    const [good, poor] = [all.filter((score) => score >= 50).length, all.filter((score) => score < 20).length];
    expect(await page.locator('.lead').textContent()).toMatch(
      new RegExp(
        `^${good} of 22 faces are good \\(50 or more\\), ${poor} are poor \\(below 20(: \\d+ of them \\w+( \\w+)?)?\\)\\.$`,
      ),
    );

    await page.getByLabel('At least').fill('50');
    expect(await scores()).toHaveLength(good);
    await page.getByLabel('At least').fill('0');
    await page.getByLabel('Only faces with a problem').check();
    expect((await scores()).length).toBeLessThan(10);
    await page.getByLabel('Only faces with a problem').uncheck();

    await page.getByRole('button', { name: 'Keep the best of each person' }).click(); // waits until faces are grouped
    const kept = await page.getByText(/^1\d of 22 faces kept\.$/).textContent();
    const count = Number.parseInt(kept!, 10);
    expect(count).toBeGreaterThan(10);
    expect(count).toBeLessThan(22);
    const table = Buffer.from(await saved(page, 'Download CSV'))
      .toString()
      .trim()
      .split('\r\n');
    expect(table[0]).toBe('image,face,x,y,width,height,detection,magnitude,quality,reasons,person,name');
    expect(table).toHaveLength(1 + count);
    const files = unzipSync(await saved(page, `Download ${count} faces as zip`));
    const names = Object.keys(files);
    expect(names.filter((name) => name.startsWith('faces/'))).toHaveLength(count);
    expect(names).toContain('faces/sample1-face1.jpg');
    const crop = await sharp(files['aligned/sample1-face1.png']).metadata();
    expect([crop.width, crop.height]).toEqual([112, 112]);
  });

  test('a box, its photo and its card are linked, and photos enlarge', async () => {
    await page.getByRole('button', { name: 'Keep all' }).click();
    const place = page.getByRole('button', { name: 'Show face 1 in sample1.jpg' }).first();
    await place.hover();
    expect(await page.locator('.face.lit').textContent()).toContain('sample1.jpg');
    await place.click();
    const viewer = page.getByRole('dialog', { name: 'sample1.jpg' });
    await viewer.getByText(/^\d+ pixels wide\. Length of the feature vector: \d/).waitFor();
    const first = await viewer.locator('.facts').textContent();
    await viewer.getByRole('button', { name: 'Show face 3' }).click();
    expect(await viewer.locator('.facts').textContent()).not.toBe(first);
    expect(await seriousFindings(page)).toEqual([]);
    await page.keyboard.press('ArrowRight');
    await page.getByRole('dialog', { name: 'sample2.jpg' }).waitFor();
    await page.keyboard.press('Escape');
    expect(await page.getByRole('dialog').count()).toBe(0);
  });

  test('names and corrects people, takes an answer back, and loses nothing on reload', async () => {
    await page.getByRole('link', { name: 'People', exact: true }).click();
    const people = page.locator('.person');
    await people.first().waitFor();
    const found = await people.count();
    expect(await page.locator('.lead').textContent()).toMatch(new RegExp(`^${found} people in 22 faces`));
    const nameOf = (title: string) => page.getByLabel(`Name of ${title}`, { exact: true });
    const drawn = await page.evaluateHandle(() => {
      const count = { faces: 0 };
      const { prototype } = CanvasRenderingContext2D;
      const draw = prototype.putImageData;
      prototype.putImageData = function (this: CanvasRenderingContext2D, ...given: Parameters<typeof draw>) {
        count.faces++;
        draw.apply(this, given);
      } as typeof draw;
      return count;
    });
    await nameOf('Person 1').fill('Ann Lee');
    await page.keyboard.press('Enter');
    await page.getByText('Person 1 is now called Ann Lee.').waitFor();
    await nameOf('Ann Lee').waitFor(); // grouped again
    expect(await drawn.evaluate(({ faces }) => faces)).toBe(0);
    await nameOf('Person 2').fill('Ann Lee'); // the same name: one person
    await page.keyboard.press('Enter');
    await expect.poll(() => people.count(), { timeout: 60_000 }).toBe(found - 1);
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect.poll(() => people.count(), { timeout: 60_000 }).toBe(found);
    await page.getByRole('button', { name: 'All 2 faces' }).first().click();
    await page.getByRole('button', { name: 'Not Ann Lee' }).last().click();
    await page.getByText('The face is not Ann Lee any more.').waitFor();
    const ann = people.filter({ has: nameOf('Ann Lee') });
    await ann.getByText('1 face', { exact: true }).waitFor();
    expect(await seriousFindings(page)).toEqual([]);

    await page.reload();
    await ann.getByText('1 face', { exact: true }).waitFor();
    expect(await nameOf('Ann Lee').inputValue()).toBe('Ann Lee');
    await page.getByText('Finished: 22 faces in 6 photos.').waitFor();
    await page.getByRole('link', { name: 'Photos', exact: true }).click();
    expect(await page.locator('.photo .box').count()).toBe(22);
  });

  test('fits 360 pixels, and axe finds nothing serious, light and dark', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      for (const [name, width] of [
        ['Photos', 390],
        ['People', 360],
        ['Video', 360],
        ['Camera', 390],
        ['Compare', 360],
      ] as const) {
        await page.setViewportSize({ width, height: 800 });
        await page.getByRole('link', { name, exact: true }).click();
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
        expect(await seriousFindings(page)).toEqual([]);
      }
    }
    await page.setViewportSize({ width: 1200, height: 900 });
  });

  test('lets the keyboard reach every view and the choice of pictures', async () => {
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.goto(`${server.address}#compare`);
    await page.reload();
    await page.getByText('About the models').waitFor();
    const reached: string[] = [];
    for (let i = 0; i < 9; i++) {
      await page.keyboard.press('Tab');
      reached.push(
        await page.evaluate(() => {
          const element = document.activeElement as HTMLElement;
          return (element.textContent || element.closest('label')?.textContent) ?? '';
        }),
      );
    }
    expect(reached).toEqual([
      'Skip to content',
      'MagFace',
      'Photos',
      'People',
      'Video',
      'Camera',
      'Compare',
      'Light',
      'Choose a picture',
    ]);
  });

  test('says in words whether two faces are one person, at a stated rate', async () => {
    await page.getByRole('link', { name: 'Compare', exact: true }).click();
    const [left, right] = [page.locator('input[type=file]').first(), page.locator('input[type=file]').last()];
    await left.setInputFiles(photos[0]!);
    await right.setInputFiles(photos[0]!);
    await page.getByRole('heading', { name: 'Most likely the same person' }).waitFor();
    await page.getByText('Only 1 in 1,000 pairs of different people reaches that.').waitFor();
    await page.getByRole('radio').last().check(); // another face of the second picture
    await page.getByRole('heading', { name: 'Most likely different people' }).waitFor();
    await page.getByLabel('Accepted false matches').selectOption({ label: '1 in 100 pairs of different people' });
    await page.getByText('is below 0.241, which 1 in 100 pairs').waitFor();
    expect(await seriousFindings(page)).toEqual([]);
  });

  test('finds the people of a clip dropped on the photos, with times and best shots', async () => {
    await page.getByRole('link', { name: 'Photos', exact: true }).click();
    const scripts = (): number => new Set(server.asked.filter((path) => path.endsWith('.js'))).size;
    const before = scripts();
    await drop(page, [clip]);
    await page.getByText('Finished: five pictures of each second were looked at.').waitFor();
    expect(page.url()).toMatch(/#video$/);
    expect(scripts()).toBe(before + 1); // the reader of clips is loaded with the first one
    expect(await page.locator('.lead').textContent()).toBe('3 people in 0:04.0 of video.');
    expect(await page.locator('.clip-person > p').allTextContents()).toEqual([
      'In view 0:00.0 to 0:01.8; 10 pictures.',
      'In view 0:02.0 to 0:03.8; 10 pictures.',
      'In view 0:02.0 to 0:03.8; 10 pictures.',
    ]);
    const picture = await sharp(await saved(page, /^Save person 1 at /)).metadata();
    expect(Math.min(picture.width, picture.height)).toBeGreaterThan(100);
    expect(await seriousFindings(page)).toEqual([]);
    for (const width of [1200, 390, 360]) {
      await page.setViewportSize({ width, height: 900 });
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    }
    await page.setViewportSize({ width: 1200, height: 900 });
    await page.locator('.drop input').setInputFiles({ name: 'a.mp4', mimeType: 'video/mp4', buffer: Buffer.alloc(99) });
    await page.getByText('cannot be played by this browser').waitFor();
    await page.getByRole('button', { name: 'Start over' }).click();
  });

  test('scores the camera live, keeps the best shot and takes shots automatically', async () => {
    await page.getByRole('link', { name: 'Camera', exact: true }).click();
    await page.getByLabel('Minimum quality').fill('40');
    await page.getByLabel('On', { exact: true }).check();
    await page.getByRole('button', { name: 'Turn on the camera' }).click();
    await page.locator('.live .score').waitFor();
    await page.locator('.shots .shot').nth(1).waitFor();
    expect(await page.locator('.camera .photo .box').count()).toBeGreaterThan(0);
    expect(Number(await page.locator('.side .shot b').textContent())).toBeGreaterThan(40);
    expect(await seriousFindings(page)).toEqual([]);
    await page.getByRole('button', { name: 'Turn it off' }).click();
    expect(await page.locator('.live .score').count()).toBe(0);
    await page.getByRole('button', { name: 'Discard all' }).click();
    await page.getByText('No shots yet.').waitFor();
  });

  test('works without a network after the first visit, isolated, and reports files that are not pictures', async () => {
    const onnx = server.asked.filter((path) => path.endsWith('.onnx')).length;
    expect(onnx).toBe(3); // each model once, though the page was loaded twice
    await server.close();
    await page.goto(`${server.address}#photos`);
    await page.reload();
    await page.getByText('About the models').click();
    await page.getByText(/WebAssembly, [2-9]\d* threads/).waitFor();
    page.once('dialog', (dialog) => {
      asks.push(dialog.message());
      void dialog.accept();
    });
    await page.getByRole('button', { name: 'Start over' }).click(); // photos of earlier tests are still here
    expect(asks).toEqual(['Remove all photos from this page, and the 2 names and answers that you gave?']);
    await writeFile(join(folder, 'broken.jpg'), 'no picture');
    await page
      .locator('input[type=file]')
      .first()
      .setInputFiles([join(folder, 'broken.jpg'), photos[0]!]);
    await page.getByText('Finished: 3 faces in 1 photo.').waitFor();
    expect(await page.locator('.failures').textContent()).toContain('broken.jpg cannot be read by this browser');
    await page.getByRole('button', { name: 'Start over' }).click();
    await drop(page, [join(folder, 'broken.jpg')]);
    await page.getByText('The file could not be read: see below why.').waitFor();
    const picture = sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } });
    await writeFile(join(folder, 'old.bmp'), bitmapFile(await picture.raw().toBuffer(), 8, 8));
    await page.locator('input[type=file]').first().setInputFiles(join(folder, 'old.bmp'));
    await page.getByText('None of the 2 files could be read: see below why.').waitFor();
    expect(await page.locator('.failures').textContent()).toContain('old.bmp is a BMP image: save it as PNG or JPEG.');
    await writeFile(join(folder, 'letter.pdf'), 'no picture');
    await page.locator('input[type=file]').first().setInputFiles(join(folder, 'letter.pdf'));
    await page.getByText('None of these files is a picture. Skipped 1 file').waitFor();
  });

  test('accepts a pasted picture and a folder', async () => {
    await page.getByRole('button', { name: 'Start over' }).click();
    await page.evaluate(async () => {
      const canvas = new OffscreenCanvas(64, 64);
      canvas.getContext('2d')!.fillRect(0, 0, 64, 64);
      const clipboardData = new DataTransfer();
      clipboardData.items.add(new File([await canvas.convertToBlob()], 'pasted.png', { type: 'image/png' }));
      document.dispatchEvent(new ClipboardEvent('paste', { clipboardData }));
    });
    await page.getByText('No face was found in these photos. Faces should be upright and well lit. For tiny').waitFor();
    expect(await page.locator('figcaption').allTextContents()).toEqual(['pasted.png · no face found']);
    const chosen = join(folder, 'chosen');
    await mkdir(chosen);
    await copyFile(photos[0]!, join(chosen, 'three.jpg'));
    await writeFile(join(chosen, 'notes.txt'), 'no picture');
    await page.locator('input[webkitdirectory]').setInputFiles(chosen);
    await page.getByText('Finished: 3 faces in 2 photos. 1 photo shows none. Faces should be').waitFor();
    await page.getByText('Skipped 1 file of other types: notes.txt. Supported formats are JPEG, PNG').waitFor();
    expect(await page.locator('figcaption').allTextContents()).toContain('chosen/three.jpg · 3 faces');
  });

  test('cancels a run at once, and prints nothing on the console', async () => {
    await page.getByRole('button', { name: 'Start over' }).click();
    await page.locator('input[type=file]').first().setInputFiles(photos);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText(/^Cancelled after [0-5] of 6 photos\.$/).waitFor();
    expect(said.filter((text) => !text.includes('ERR_CONNECTION_REFUSED'))).toEqual([]);
  });
});
