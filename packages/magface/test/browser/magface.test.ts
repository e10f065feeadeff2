/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** `magface/browser` in Chromium gives what `magface` gives in Node. */
import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type * as browserSide from '../../src/browser/index.ts';
import type { AnalyzedFace } from '../../src/face.ts';
import { MagFace } from '../../src/infer/node/magface.ts';
import { modelFolder } from '../../src/models/model-folder.ts';
import type { Calibration } from '../../src/quality.ts';
import { openQueue } from '../../src/serve/inference-queue.ts';
import { createMetrics } from '../../src/serve/metrics.ts';
import { serveOptions } from '../../src/serve/options.ts';
import { createServer } from '../../src/serve/server.ts';
import { compare } from '../../src/similarity.ts';
import { openChromium, withoutChromium } from '../support/chromium.ts';
import type { FileServer } from '../support/file-server.ts';
import { samplePhoto } from '../support/sample-photos.ts';
import { serveHarness } from '../support/serve-harness.ts';
import type { Library } from './harness/main.ts';
import { type SeenFace, seen } from './seen-face.ts';

declare global {
  var library: Library;
  var magface: browserSide.MagFace;
}

/** @param calibration - whose scale rises by at most 25 / width points for a magnitude of 1 */
function expectAlike(there: readonly SeenFace[], here: readonly AnalyzedFace[], calibration: Calibration): void {
  const steepest = 25 / Math.min(calibration.width, calibration.widthBelow ?? calibration.width);
  expect(there).toHaveLength(here.length);
  for (const [i, face] of here.entries()) {
    const { embedding, magnitude, quality, ...rest } = seen(face);
    expect(there[i]).toMatchObject(rest);
    expect(Math.abs(there[i]!.quality! - quality!)).toBeLessThan(steepest * 5e-4 * magnitude);
    expect(Math.abs(there[i]!.magnitude / magnitude - 1)).toBeLessThan(5e-4);
    expect(compare(Float32Array.from(there[i]!.embedding), Float32Array.from(embedding))).toBeGreaterThan(0.9999);
  }
}

describe.skipIf(withoutChromium)(`magface/browser in Chromium${withoutChromium ?? ''}`, () => {
  let server: FileServer;
  let browser: Browser;
  let page: Page;
  let node: MagFace;
  const files = new Map<string, Uint8Array>();

  beforeAll(async () => {
    node = await MagFace.load({ threads: 1 });
    for (const [name, bytes] of modelFolder([node.model, node.detector!, node.aligner!]))
      files.set(`models/${name}`, bytes);
    server = await serveHarness(files);
    browser = await openChromium();
    page = await browser.newPage();
    await page.goto(server.address);
    await page.evaluate(async () => {
      globalThis.magface = await library.MagFace.load({ threads: 1 });
    });
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await node?.[Symbol.asyncDispose]();
  });

  /** What the page's library says of a photo that is sent to it as a file. */
  const seeFile = async (bytes: Uint8Array): Promise<SeenFace[]> => {
    files.set('photo.jpg', bytes);
    return page.evaluate(async () => {
      const blob = await (await fetch('photo.jpg')).blob();
      return (await magface.analyze(blob)).map(library.seen);
    });
  };

  test('finds 22 faces in the six photos, with magnitudes within 0.0005 of those in Node', async () => {
    let faces = 0;
    for (const photo of [1, 2, 3, 4, 5, 6] as const) {
      const there = await seeFile(await readFile(samplePhoto(photo)));
      expectAlike(there, await node.analyze(samplePhoto(photo)), node.model.contract.calibration!);
      faces += there.length;
    }
    expect(faces).toBe(22);
  });

  test("computes every value within 1e-4 of the magnitude of Node's, from the same crop", async () => {
    expect(node.model.id).toBe('magface-small');
    const here = await node.analyze(samplePhoto(1));
    expect(here.length).toBeGreaterThan(0);
    for (const { crop, magnitude, embedding } of here) {
      files.set(
        'crop',
        await sharp(crop.data, { raw: { width: 112, height: 112, channels: 3 } })
          .ensureAlpha()
          .raw()
          .toBuffer(),
      );
      const there = await page.evaluate(async () => {
        const bytes = await (await fetch('crop')).arrayBuffer();
        const image = new ImageData(new Uint8ClampedArray(bytes), 112, 112);
        return (await magface.analyze(image, { aligned: true })).map(library.seen)[0]!;
      });
      expect(Math.abs(there.magnitude - magnitude) / magnitude).toBeLessThan(1e-4);
      for (const [i, value] of embedding.entries()) {
        expect(Math.abs(there.embedding[i]! - value) / magnitude).toBeLessThan(1e-4);
      }
    }
  });

  test('gives likelihood ratios within 1e-3 of those of Node and of the service, from the same crops', async () => {
    const { likelihood } = node.model.contract;
    expect(likelihood).toBeDefined();
    const faces = [...(await node.analyze(samplePhoto(1))), ...(await node.analyze(samplePhoto(3)))].slice(0, 4);
    const raws = faces.map(({ crop }) => sharp(crop.data, { raw: { width: 112, height: 112, channels: 3 } }));
    const inference = await openQueue({ workers: 1, threads: 1 });
    const app = await createServer(serveOptions.parse({}), {
      inference,
      metrics: createMetrics(),
      pageFolder: '/none',
    });
    let between = 0;
    try {
      for (let i = 0; i + 1 < faces.length; i++) {
        const here = node.samePerson(faces[i]!, faces[i + 1]!).likelihood!;
        const form = new FormData();
        for (const raw of raws.slice(i, i + 2))
          form.append('image', new Blob([await raw.clone().png().toBuffer()]), 'a.png');
        const body = new Response(form);
        const served = await app.inject({
          method: 'POST',
          url: '/v1/compare?aligned=true',
          payload: Buffer.from(await body.arrayBuffer()),
          headers: { 'content-type': body.headers.get('content-type')! },
        });
        for (const [k, raw] of raws.slice(i, i + 2).entries())
          files.set(`crop${k}`, await raw.clone().ensureAlpha().raw().toBuffer());
        const there = await page.evaluate(async () => {
          const crop = async (k: number) => {
            const bytes = await (await fetch(`crop${k}`)).arrayBuffer();
            const image = new ImageData(new Uint8ClampedArray(bytes), 112, 112);
            return (await magface.analyze(image, { aligned: true }))[0]!;
          };
          const [a, b] = [await crop(0), await crop(1)];
          const similarity = library.compare(a.embedding, b.embedding);
          const { contract } = magface.model;
          return library.likelihoodRatio(similarity, [a.magnitude, b.magnitude], contract.likelihood!);
        });
        for (const other of [there, served.json().likelihood]) {
          expect(Math.abs(other.ratio / here.ratio - 1)).toBeLessThan(1e-3);
          expect(Math.abs(other.interval[1] / here.interval[1] - 1)).toBeLessThan(1e-3);
          expect(other.limited).toBe(here.limited);
        }
        if (!here.limited) between++;
      }
    } finally {
      await app.close();
      await inference.close();
    }
    expect(between).toBeGreaterThan(0);
  });

  test('analyses decoded pixels in threads, on a page whose policy allows nothing inline', async () => {
    const { data, info } = await sharp(samplePhoto(4)).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
    files.set('pixels', data);
    const { faces, ...rest } = await page.evaluate(async ({ width, height }) => {
      const threaded = await library.MagFace.load();
      const bytes = await (await fetch('pixels')).arrayBuffer();
      const image = new ImageData(new Uint8ClampedArray(bytes), width, height);
      const faces = (await threaded.analyze(image, { maxFaces: 1 })).map(library.seen);
      await threaded[Symbol.asyncDispose]();
      const gone = await threaded.analyze(image).catch((error: { code: string }) => error.code);
      return { faces, device: threaded.device, threads: threaded.threads > 1, gone };
    }, info);
    expect(rest).toEqual({ device: 'wasm', threads: true, gone: 'disposed' });
    const raw = { data, width: info.width, height: info.height };
    expectAlike(faces, await node.analyze(raw, { maxFaces: 1 }), node.model.contract.calibration!);
  });

  test('rotates a photo by its EXIF orientation', async () => {
    const side = sharp(samplePhoto(1)).resize(480).rotate(90).withMetadata({ orientation: 8 }).jpeg({ quality: 95 });
    const bytes = await side.toBuffer();
    const there = await seeFile(bytes);
    expectAlike(there, await node.analyze(bytes), node.model.contract.calibration!);
    expect(there.length).toBeGreaterThan(0);
  });

  test('reads a photo of 50 megapixels in strips', async () => {
    const big = sharp(samplePhoto(1)).resize(8660, 5774, { fit: 'fill' }).jpeg({ quality: 60 });
    files.set('big.jpg', await big.toBuffer());
    const [count, refused] = await page.evaluate(async () => {
      const blob = await (await fetch('big.jpg')).blob();
      const faces = await magface.detect(blob);
      const careful = await library.MagFace.load({ threads: 1, limits: { pixels: 1e6 } });
      return [faces.length, await careful.detect(blob).catch((error: Error) => error.message)];
    });
    expect(count).toBe(3);
    expect(refused).toBe(
      'Expected at most 1000000 pixels but the image of SIZE bytes has 8660x5774: scale it down, or raise `limits.pixels`.'.replace(
        'SIZE',
        String(files.get('big.jpg')!.length),
      ),
    );
  });

  test('reports a file that is no image as a result of its own, and accepts elements and frames', async () => {
    files.set('photo.jpg', await readFile(samplePhoto(1)));
    const seenKinds = await page.evaluate(async () => {
      const blob = await (await fetch('photo.jpg')).blob();
      const bitmap = await createImageBitmap(blob);
      const canvas = Object.assign(document.createElement('canvas'), { width: bitmap.width, height: bitmap.height });
      canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
      const frame = new VideoFrame(canvas, { timestamp: 0 });
      const broken = new File(['no image'], 'notes.txt');
      const kinds: string[] = [];
      for await (const { faces, error } of magface.stream([broken, bitmap, canvas, frame])) {
        kinds.push(error?.message ?? String(faces?.length));
      }
      return [...kinds, String(bitmap.width > 0 && frame.displayWidth > 0)];
    });
    const broken =
      'Expected a JPEG, PNG, WebP, AVIF or GIF image but notes.txt cannot be read by this browser: save it as JPEG or PNG.';
    expect(seenKinds).toEqual([broken, '3', '3', '3', 'true']);
  });

  test('stops in the middle of a photo when aborted, and then analyses the next one', async () => {
    const outcome = await page.evaluate(async () => {
      const blob = await (await fetch('photo.jpg')).blob();
      const controller = new AbortController();
      const long = magface.analyze(blob, { minFace: 8, signal: controller.signal });
      setTimeout(() => controller.abort(), 50);
      const name = await long.catch((error: Error) => error.name);
      return [name, (await magface.analyze(blob)).length];
    });
    expect(outcome).toEqual(['AbortError', 3]);
  });

  test('rejects WebGPU requested by name where there is none', async () => {
    const message = await page.evaluate(() =>
      library.MagFace.load({ device: 'webgpu' }).then(String, (error: Error) => error.message),
    );
    expect(message).toBe('Expected a browser with WebGPU but it has no adapter: use device "auto" or "wasm".');
  });

  test('downloads each model once, and explains a missing list, a missing kind and a changed file', async () => {
    expect(server.asked.filter((path) => path.endsWith('.onnx'))).toHaveLength(3); // three loads before
    const list = JSON.parse(Buffer.from(files.get('models/index.json')!).toString()) as { file: string }[];
    for (const { file } of list)
      files.set(
        `changed/${file}`,
        files.get(`models/${file}`)!.map((byte) => byte ^ 1),
      );
    files.set('changed/index.json', files.get('models/index.json')!);
    files.set('half/index.json', Buffer.from(JSON.stringify(list.slice(0, 1))));
    const load = (models: string): Promise<string> =>
      page.evaluate((models) => library.MagFace.load({ models }).then(String, (error: Error) => error.message), models);
    expect(await load('none')).toMatch(/^Expected a list of models at .*none\/index.json but the server answered 404:/);
    expect(await load('half')).toMatch(/^Expected a detector in the model folder but it has none:/);
    expect(await load('changed')).toMatch(/^Expected yunet to have SHA-256 [0-9a-f]{64} but it does not:/);
  });
});
