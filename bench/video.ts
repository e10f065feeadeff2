/**
 * Whether `analyzeVideo` keeps up with 1080p at 5 frames per second on two cores: `npx tsx -C magface:source bench/video.ts`. The
 * clip is made by ffmpeg: slow zooms over four scenes of photos (`photos/` of the research data), with the first people again in
 * the last. Processor time counts all threads and ffmpeg, so that the ratio holds on a busy machine.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MagFace } from '../packages/magface/src/infer/node/magface.ts';
import { analyzeVideo } from '../packages/magface/src/video/node/analyze-video.ts';
import { researchFolder } from './support/data.ts';
import { writeResult } from './support/result.ts';
import { makeScenes } from './support/scenes.ts';

const fps = 5;
const photos = join(researchFolder('photos'), 'photos');
const folder = mkdtempSync(join(tmpdir(), 'magface-video-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const clip = join(folder, 'clip.mp4');
const { clipSeconds, portrait } = makeScenes(photos, clip, ['-c:v', 'libx264', '-preset', 'ultrafast']);

/** Seconds of processor time of this process's threads and of its ended children. */
function processorSeconds(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  const ticks = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0); // utime, stime, cutime, cstime
  return ticks / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
}

await using magface = await MagFace.load();
await magface.analyze(portrait);
const [begin, before] = [performance.now(), processorSeconds()];
const people = await analyzeVideo(clip, magface, { fps });
const [seconds, processor] = [(performance.now() - begin) / 1000, processorSeconds() - before];
const rounded = (value: number): number => Number(value.toPrecision(3));
writeResult('video', {
  size: '1920x1080',
  clipSeconds,
  fps,
  workers: magface.workers,
  wallSeconds: rounded(seconds),
  processorSeconds: rounded(processor),
  coresForRealTime: rounded(processor / clipSeconds),
  people: people.map(({ frames, seen, best }) => ({ frames, seen, bestAt: best[0]!.time })),
  note: 'processor time includes the start of the worker threads',
});
