/** What decoding a clip needs, and the times of its frames. `analyze-video.test.ts` decodes clips in Chromium. */
import { afterEach, expect, test, vi } from 'vitest';
import { decodedClip, frameTimes } from '../../src/browser/decoded-clip.ts';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.doUnmock('mediabunny');
});

test('looks at 0, 1 / fps, ... before the end, a microsecond late', () => {
  const times = [...frameTimes({ first: 0, duration: 1, fps: 4, from: 0 })];
  expect(times).toEqual([0, 0.25, 0.5, 0.75].map((time) => time + 1e-6));
  expect([...frameTimes({ first: 0, duration: 1, fps: 4, from: 3 })]).toEqual([0.75 + 1e-6]);
});

test('looks at the first picture while there is only sound, and once at a clip without a duration', () => {
  const [start, next] = frameTimes({ first: 0.4, duration: 1, fps: 2, from: 0 });
  expect([start, next]).toEqual([0.4 + 1e-6, 0.5 + 1e-6]);
  expect([...frameTimes({ first: 0, duration: 0, fps: 5, from: 0 })]).toHaveLength(1);
});

test('says that the browser has no decoder, or that mediabunny is missing', async () => {
  await expect(decodedClip(new Blob())).rejects.toThrow(
    'Expected a browser with WebCodecs but it has no VideoDecoder: use source "auto" or "element".',
  );
  vi.stubGlobal('VideoDecoder', class {});
  vi.doMock('mediabunny', () => {
    throw new Error('Failed to resolve module specifier');
  });
  await expect(decodedClip(new Blob())).rejects.toThrow(
    'Expected mediabunny for source "webcodecs" but it cannot be loaded: npm install mediabunny, or use source "auto" or "element".',
  );
});
