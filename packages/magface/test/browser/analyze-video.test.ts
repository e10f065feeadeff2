/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** Clips in Chromium: WebCodecs gives the frames and people of the video element, which stands in where decoding fails. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadModel } from '../../src/models/load-model.ts';
import { modelFolder } from '../../src/models/model-folder.ts';
import { openChromium, steadyDecoder, withoutChromium } from '../support/chromium.ts';
import type { FileServer } from '../support/file-server.ts';
import { serveHarness } from '../support/serve-harness.ts';
import { turnedClip } from '../support/turned-clip.ts';

/** One person for two seconds, then two others: VP8 without duration or index, and the same as H.264 by `ffmpeg -c:v libx264 -bf 3`. */
const clips = ['people.webm', 'people.mp4'] as const;
const fixture = (name: string): Promise<Buffer> =>
  readFile(fileURLToPath(new URL(`../fixtures/video/${name}`, import.meta.url)));

describe.skipIf(withoutChromium)(`clips in Chromium${withoutChromium ?? ''}`, () => {
  let server: FileServer;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    const models = [
      await loadModel('magface-small', { kind: 'recogniser' }),
      await loadModel('yunet', { kind: 'detector' }),
      await loadModel('face-aligner', { kind: 'aligner' }),
    ];
    const files = new Map<string, Uint8Array>();
    for (const [name, bytes] of modelFolder(models)) files.set(`models/${name}`, bytes);
    for (const name of clips) files.set(name, await fixture(name));
    files.set('turned.mp4', turnedClip(await fixture('people.mp4')));
    server = await serveHarness(files);
    browser = await openChromium({ args: [steadyDecoder] });
    page = await browser.newPage();
    await page.goto(server.address);
    await page.evaluate(async () => {
      globalThis.magface = await library.MagFace.load({ threads: 1 });
    });
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  test('loads mediabunny with the first clip', async () => {
    const scripts = (): number => server.asked.filter((path) => path.endsWith('.js')).length;
    const before = scripts();
    const source = await page.evaluate(async () => {
      const clip = await library.openClip(await (await fetch('people.mp4')).blob(), { source: 'auto' });
      clip.close();
      return clip.source;
    });
    expect(source).toBe('webcodecs');
    expect(scripts()).toBe(before + 1);
  });

  test.each([...clips.map((name) => ({ name, size: [480, 360] })), { name: 'turned.mp4', size: [360, 480] }])(
    'decodes the frames of $name that the element shows',
    async ({ name, size }) => {
      const [count, sizes, difference] = await page.evaluate(async (name) => {
        const clip = await (await fetch(name)).blob();
        const [decoded, played] = [
          await library.openClip(clip, { source: 'webcodecs' }),
          await library.openClip(clip, { source: 'element' }),
        ];
        const others = played.frames(5);
        const sizes = new Set<string>();
        let [count, difference] = [0, 0];
        for await (const frame of decoded.frames(5)) {
          const other: ImageBitmap = (await others.next()).value;
          const [a, b] = [frame, other].map((bitmap) => {
            const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')!;
            context.drawImage(bitmap, 0, 0);
            sizes.add(`${bitmap.width}x${bitmap.height}`);
            return context.getImageData(0, 0, bitmap.width, bitmap.height).data;
          });
          const sum = a!.reduce((sum, value, i) => sum + Math.abs(value - b![i]!), 0);
          difference = Math.max(difference, sum / a!.length);
          count++;
        }
        const isOver = (await others.next()).done === true;
        decoded.close();
        played.close();
        return [isOver ? count : 0, [...sizes], difference] as const;
      }, name);
      expect(count).toBe(20);
      expect(sizes).toEqual([size.join('x')]);
      expect(difference).toBeLessThan(0.1); // of 255; neighbouring frames differ by more
    },
  );

  test.each(clips)('finds the people of %s either way', async (name) => {
    const found = await page.evaluate(async (name) => {
      const clip = await (await fetch(name)).blob();
      const each = [];
      for (const source of ['auto', 'element'] as const) {
        const used = new Set<string>();
        const people = await library.analyzeVideo(clip, magface, { source, onFrame: (...[, , now]) => used.add(now) });
        each.push({ used: [...used], people: people.map(({ seen, frames }) => ({ seen, frames })) });
      }
      return each;
    }, name);
    const first = { seen: [[0, 1.8]], frames: 10 };
    const other = { seen: [[2, 3.8]], frames: 10 };
    expect(found).toEqual([
      { used: ['webcodecs'], people: [first, other, other] },
      { used: ['element'], people: [first, other, other] },
    ]);
  });

  test('closes every frame that the decoder gives, also after an abort', async () => {
    const outcome = await page.evaluate(async () => {
      const { VideoDecoder } = globalThis;
      const { close } = VideoFrame.prototype;
      let [given, closed] = [0, 0];
      globalThis.VideoDecoder = class extends VideoDecoder {
        constructor({ output, error }: VideoDecoderInit) {
          super({
            error,
            output: (frame) => {
              given++;
              output(frame);
            },
          });
        }
      };
      VideoFrame.prototype.close = function (): void {
        if (this.format !== null) closed++;
        close.call(this);
      };
      const clip = await (await fetch('people.mp4')).blob();
      const opened = await library.openClip(clip, { source: 'webcodecs' });
      for await (const frame of opened.frames(5)) frame.close();
      opened.close();
      const whole = [given, closed];

      const controller = new AbortController();
      const { signal } = controller;
      const stopped = library.analyzeVideo(clip, magface, { signal, onFrame: () => controller.abort() });
      const name = await stopped.catch((error: Error) => error.name);
      for (let i = 0; i < 100 && given !== closed; i++) await new Promise((resolve) => setTimeout(resolve, 20));
      Object.assign(globalThis, { VideoDecoder });
      VideoFrame.prototype.close = close;
      return { whole, name, left: given - closed };
    });
    expect(outcome).toEqual({ whole: [40, 40], name: 'AbortError', left: 0 });
  });

  test('takes the element if the decoder fails on the way, knows no format, or does not exist', async () => {
    const outcome = await page.evaluate(async () => {
      const { VideoDecoder } = globalThis;
      const clip = await (await fetch('people.mp4')).blob();
      const read = async (source: 'auto' | 'webcodecs') => {
        try {
          const opened = await library.openClip(clip, { source });
          const used = [];
          for await (const frame of opened.frames(5)) {
            used.push(opened.source);
            frame.close();
          }
          opened.close();
          return used.join(' ');
        } catch (error) {
          return (error as Error).message;
        }
      };
      globalThis.VideoDecoder = class extends VideoDecoder {
        constructor({ output, error }: VideoDecoderInit) {
          let left = 8;
          super({
            error,
            output: (frame) => {
              if (left-- > 0) output(frame);
              else error(new DOMException('Codec reclaimed due to inactivity.', 'QuotaExceededError'));
            },
          });
        }
      };
      const failing = [await read('auto'), await read('webcodecs')];
      globalThis.VideoDecoder = class extends VideoDecoder {
        static override isConfigSupported = async (config: VideoDecoderConfig) => ({ config, supported: false });
      };
      const unknown = [await read('auto'), await read('webcodecs')];
      Reflect.deleteProperty(globalThis, 'VideoDecoder');
      const none = await read('auto');
      Object.assign(globalThis, { VideoDecoder });
      return { failing, unknown, none };
    });
    const element = Array.from({ length: 20 }, () => 'element').join(' ');
    const remedy = 'convert it to MP4 with H.264, or use source "auto".';
    const clip = `Expected a video that this browser decodes but the clip of ${(await fixture('people.mp4')).length} bytes`;
    expect(outcome.failing[0]).toMatch(/^(webcodecs ){2,4}(element ?){16,18}$/);
    expect(outcome.failing[0]!.split(' ')).toHaveLength(20);
    expect(outcome.failing[1]).toBe(`${clip} cannot be decoded by this browser: ${remedy}`);
    expect(outcome.unknown).toEqual([element, `${clip} is of a format that this browser does not decode: ${remedy}`]);
    expect(outcome.none).toBe(element);
  });
});
