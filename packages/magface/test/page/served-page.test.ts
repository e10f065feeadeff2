/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** The page as `magface serve` hands it out, with the models that the service itself answers with. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contentSecurityPolicy } from '../../src/hosting/headers.ts';
import { openChromium, withoutChromium } from '../support/chromium.ts';
import { cameraArguments, drop, photos, seriousFindings, smallTargets } from '../support/page-use.ts';

const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** @returns the process and where it listens */
async function serve(): Promise<{ service: ChildProcess; address: string }> {
  // A small recogniser: the page computes here, two cores and all.
  const words = [command, 'serve', '--model', 'fr-feature', '--port', '0', '--log-level', 'silent', '--threads', '1'];
  const service = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  let notes = '';
  const address = await new Promise<string>((resolve, reject) => {
    service.stderr.on('data', (data: Buffer) => {
      notes += data;
      const found = /Listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(notes);
      if (found !== null) resolve(found[1]!);
    });
    service.on('exit', () => reject(new Error(notes)));
  });
  return { service, address };
}

describe.skipIf(withoutChromium)(`the page of a service in Chromium${withoutChromium ?? ''}`, () => {
  let folder: string;
  let service: ChildProcess;
  let address: string;
  let browser: Browser;
  let page: Page;
  const said: string[] = [];
  const asked: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'magface-served-page-'));
    ({ service, address } = await serve());
    browser = await openChromium({ args: await cameraArguments(folder) });
    const phone = { viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true };
    page = await browser.newPage({ ...phone, permissions: ['camera'] });
    page.setDefaultTimeout(120_000); // for machines that do much else
    page.on('console', (message) => said.push(message.text()));
    page.on('pageerror', (error) => said.push(String(error)));
    page.on('request', (request) => asked.push(request.url()));
  }, 120_000);

  afterAll(async () => {
    service?.kill('SIGKILL');
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('has its policy and the models of the service', async () => {
    const reply = await page.goto(address);
    expect(reply?.headers()).toMatchObject({
      'content-security-policy': contentSecurityPolicy,
      'cross-origin-embedder-policy': 'require-corp',
      'permissions-policy': 'camera=(self), microphone=(), geolocation=()',
    });
    await page.getByText('About the models').click();
    const { recogniser, detector } = await (await fetch(`${address}/v1/models`)).json();
    await page.getByText(`${recogniser.id} and ${detector.id}, running on the CPU`).waitFor();
  });

  test("fits a telephone's width and fingers in all views, and axe finds nothing serious", async () => {
    await page.getByText('from this device').waitFor();
    await drop(page, photos);
    await page.getByText('Finished: 22 faces in 6 photos.').waitFor();
    expect(await page.locator('.face').count()).toBe(22);
    expect(await seriousFindings(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);

    expect(await smallTargets(page)).toEqual([]);
    await page.getByRole('link', { name: 'People', exact: true }).click();
    await page.locator('.person .face-button').first().tap();
    await page.getByRole('dialog').waitFor();
    expect(await smallTargets(page)).toEqual([]);
    await page.getByRole('button', { name: 'Close' }).tap();
    expect(await smallTargets(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);

    await page.getByRole('link', { name: 'Camera', exact: true }).click();
    await page.getByRole('button', { name: 'Turn on the camera' }).click();
    await page.locator('.live .score').waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await page.getByRole('button', { name: 'Turn it off' }).click();

    await page.getByRole('link', { name: 'Compare', exact: true }).click();
    for (const input of await page.locator('input[type=file]').all()) await input.setInputFiles(photos[0]!);
    await page.getByRole('heading', { name: 'Most likely the same person' }).waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
  });

  test('sends nothing: it only fetched files of its own origin', () => {
    const elsewhere = asked.filter((url) => !url.startsWith(`${address}/`) && !/^(blob|data):/.test(url));
    expect(elsewhere).toEqual([]);
    expect(asked.filter((url) => url.includes('/v1/'))).toEqual([]);
    expect(said).toEqual([]);
  });

  test('works on after the service has stopped', async () => {
    service.kill('SIGKILL');
    await page.goto(`${address}/#photos`);
    await page.reload();
    await page.getByText('Finished: 22 faces in 6 photos.').waitFor(); // of before the reload
    await page.locator('input[type=file]').first().setInputFiles(photos[0]!);
    await page.getByText('Finished: 22 faces in 6 photos. 1 photo was here already.').waitFor();
  });
});
