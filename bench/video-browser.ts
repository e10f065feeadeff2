/**
 * Clips in Chromium, by WebCodecs and by a video element: the people and times of both and of Node, and the time of both in
 * one run. Needs ffmpeg and Chromium: `npx tsx -C magface:source bench/video-browser.ts`. The clips are those of `video.ts`
 * at half their length and 1280x720, as H.264, as VP9, and as H.264 that is stored on its side. Each way reads every clip three times, in turns.
 */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { MagFace } from '../packages/magface/src/infer/node/magface.ts';
import { modelFolder } from '../packages/magface/src/models/model-folder.ts';
import { analyzeVideo } from '../packages/magface/src/video/node/analyze-video.ts';
import { openChromium, steadyDecoder } from '../packages/magface/test/support/chromium.ts';
import { serveHarness } from '../packages/magface/test/support/serve-harness.ts';
import { turnedClip } from '../packages/magface/test/support/turned-clip.ts';
import { researchFolder } from './support/data.ts';
import { median } from './support/median.ts';
import { writeResult } from './support/result.ts';
import { makeScenes } from './support/scenes.ts';

const fps = 5;
const rounds = 3;
const sources = ['webcodecs', 'element'] as const;
type Source = (typeof sources)[number];

/** A person: number of frames, times in view, time of the best shot. */
interface Seen {
  readonly frames: number;
  readonly seen: readonly (readonly [number, number])[];
  readonly bestAt: number;
}
/** One reading of a clip in the page. */
interface Reading {
  readonly people: readonly Seen[];
  readonly sources: readonly string[];
  /** Of the whole analysis, and of reading the frames alone. */
  readonly seconds: number;
  readonly frameSeconds: number;
}

const folder = mkdtempSync(join(tmpdir(), 'magface-video-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const path = (name: string): string => join(folder, name);
const photos = join(researchFolder('photos'), 'photos');
/** A key frame each second, as telephones and browsers write them. */
const h264 = ['-g', '25', '-c:v', 'libx264', '-preset', 'veryfast'];
const vp9 = ['-g', '25', '-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '2M'];
const { clipSeconds } = makeScenes(photos, path('h264.mp4'), ['-s', '1280x720', ...h264], 2);
const ffmpeg = (...words: string[]): unknown => execFileSync('ffmpeg', ['-nostdin', '-v', 'error', ...words]);
ffmpeg('-i', path('h264.mp4'), ...vp9, path('vp9.webm'));
ffmpeg('-i', path('h264.mp4'), '-vf', 'transpose=cclock', ...h264, path('side.mp4'));
writeFileSync(path('rotated.mp4'), turnedClip(readFileSync(path('side.mp4'))));
const clips = ['h264.mp4', 'vp9.webm', 'rotated.mp4'] as const;

await using node = await MagFace.load();
const files = new Map(clips.map((clip) => [clip as string, readFileSync(path(clip)) as Uint8Array]));
for (const [name, bytes] of modelFolder([node.model, node.detector!, node.aligner!]))
  files.set(`models/${name}`, bytes);
const server = await serveHarness(files);
const browser = await openChromium({ args: [steadyDecoder] });
try {
  const page = await browser.newPage();
  await page.goto(server.address);
  await page.evaluate('globalThis.__name = (named) => named'); // tsx names functions with it
  const figures: Record<string, unknown> = {};
  for (const clip of clips) figures[clip.replace(/\..*/, '')] = await measured(page, clip);
  writeResult('video-browser', { size: '1280x720', clipSeconds, fps, chromium: browser.version(), ...figures });
} finally {
  await browser.close();
  await server.close();
}

async function measured(page: Page, clip: string): Promise<Record<string, unknown>> {
  const inNode = (await analyzeVideo(path(clip), node, { fps })).map(({ frames, seen, best }) => ({
    frames,
    seen,
    bestAt: best[0]!.time,
  }));
  const readings: Record<Source, Reading[]> = { webcodecs: [], element: [] };
  for (let round = 0; round < rounds; round++)
    for (const source of sources) readings[source].push(await inPage(page, clip, source));
  const [decoded, played] = sources.map((source) => readings[source][0]!.people);
  const of = (source: Source, what: 'seconds' | 'frameSeconds'): number =>
    rounded(median(readings[source].map((reading) => reading[what])));
  const times = (what: 'seconds' | 'frameSeconds') => ({
    webcodecs: of('webcodecs', what),
    element: of('element', what),
  });
  const [analysis, frames] = [times('seconds'), times('frameSeconds')];
  return {
    sourcesUsed: sources.map((source) => [...new Set(readings[source].flatMap((reading) => reading.sources))].join()),
    people: decoded,
    asByElement: JSON.stringify(decoded) === JSON.stringify(played),
    furthestFromElementSeconds: furthest(decoded!, played!),
    furthestFromNodeSeconds: furthest(decoded!, inNode),
    analysisSeconds: { ...analysis, ratio: rounded(analysis.element / analysis.webcodecs) },
    frameSeconds: { ...frames, ratio: rounded(frames.element / frames.webcodecs) },
  };
}

/** The largest difference between the times of two lists of people in view; null if the lists differ otherwise. */
function furthest(a: readonly Seen[], b: readonly Seen[]): number | null {
  const [first, second] = [a, b].map((people) => people.map(({ seen }) => seen.flat()));
  if (JSON.stringify(first!.map((times) => times.length)) !== JSON.stringify(second!.map((times) => times.length)))
    return null;
  return rounded(Math.max(...first!.flatMap((times, i) => times.map((time, k) => Math.abs(time - second![i]![k]!)))));
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

function inPage(page: Page, clip: string, source: Source): Promise<Reading> {
  return page.evaluate(
    async ({ clip, source, fps }) => {
      const shared = globalThis as unknown as {
        library: typeof import('magface/browser') &
          Pick<typeof import('../packages/magface/src/browser/open-clip.ts'), 'openClip'>;
        loaded?: import('magface/browser').MagFace;
      };
      const { library } = shared;
      shared.loaded ??= await library.MagFace.load();
      const file = await (await fetch(clip)).blob();
      const used = new Set<string>();
      const begin = performance.now();
      const found = await library.analyzeVideo(file, shared.loaded, {
        fps,
        source,
        onFrame: (...[, , now]) => used.add(now),
      });
      const middle = performance.now();
      const opened = await library.openClip(file, { source });
      for await (const frame of opened.frames(fps)) frame.close();
      opened.close();
      const people = found.map(({ frames, seen, best }) => ({ frames, seen, bestAt: best[0]!.time }));
      const [seconds, frameSeconds] = [(middle - begin) / 1000, (performance.now() - middle) / 1000];
      return { people, sources: [...used], seconds, frameSeconds };
    },
    { clip, source, fps },
  );
}
