/**
 * Whether `analyzeVideo` keeps up with 1080p at 5 frames per second on two cores: `npx tsx -C magface:source bench/video.ts`. The
 * clip is made by ffmpeg: slow zooms over four scenes of photos (`photos/` of the research data), with the first people again in
 * the last. Processor time counts all threads and ffmpeg, so that the ratio holds on a busy machine.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MagFace } from '../packages/magface/src/infer/node/magface.ts';
import { analyzeVideo } from '../packages/magface/src/video/node/analyze-video.ts';
import { researchFolder } from './support/data.ts';
import { writeResult } from './support/result.ts';

const sceneSeconds = 4;
const fps = 5;
const photos = join(researchFolder('photos'), 'photos');
const folder = mkdtempSync(join(tmpdir(), 'magface-video-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const portrait = join(photos, 'congress', readdirSync(join(photos, 'congress')).sort()[0]!);
const scenes = [join(photos, 'couple.jpg'), join(photos, 'img67.jpg'), portrait, join(photos, 'couple.jpg')];
const filters = scenes.map(
  (_, i) =>
    `[${i}:v]scale=1920:1080:force_original_aspect_ratio=decrease,pad=1920:1080:-1:-1,zoompan=z='1+0.002*on':d=1:s=1920x1080:fps=25,trim=duration=${sceneSeconds},setsar=1[s${i}]`,
);
const joined = `${scenes.map((_, i) => `[s${i}]`).join('')}concat=n=${scenes.length}:v=1,format=yuv420p`;
const clip = join(folder, 'clip.mp4');
execFileSync('ffmpeg', [
  ...['-nostdin', '-v', 'error'],
  ...scenes.flatMap((photo) => ['-loop', '1', '-t', String(sceneSeconds), '-i', photo]),
  ...['-filter_complex', [...filters, joined].join(';'), '-c:v', 'libx264', '-preset', 'ultrafast', clip],
]);

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
const clipSeconds = sceneSeconds * scenes.length;
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
