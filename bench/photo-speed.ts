/**
 * Measures photos of 1920 x 1280 with three to five faces, from files to quality: `npx tsx -C magface:source
 * bench/photo-speed.ts [PHOTOS] [OLD]`. Reports rate, CPU time, memory, latency of one photo, time to the first row of a cold
 * command, and the cost of each stage, alternating with a bare loop over the same networks (support/photo-peer.ts). OLD is a
 * built checkout of an earlier commit, which runs on fewer photos.
 */
import { spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { chooseEngine, openParts } from '../packages/magface/src/infer/node/engine.ts';
import { defaultModels, loadModels, MagFace } from '../packages/magface/src/infer/node/magface.ts';
import { readImage } from '../packages/magface/src/infer/node/read-image.ts';
import { cutFace, sceneOf } from '../packages/magface/src/infer/scene.ts';
import { findReasons } from '../packages/magface/src/reasons.ts';
import { samplePhoto } from '../packages/magface/test/support/sample-photos.ts';
import { median } from './support/median.ts';
import { openPeer } from './support/photo-peer.ts';
import { writeResult } from './support/result.ts';

const count = Number(process.argv[2] ?? 96);
const old = process.argv[3];
const turns = count < 96 ? 1 : 3;
const root = fileURLToPath(new URL('../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'magface-photos-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** The six sample photos and their mirror images. */
async function makePhotos(): Promise<string[]> {
  const made: string[] = [];
  for (const number of [1, 2, 3, 4, 5, 6] as const) {
    for (const mirrored of [false, true]) {
      const path = join(folder, `photo-${number}${mirrored ? '-mirrored' : ''}.jpg`);
      await sharp(samplePhoto(number))
        .resize(1920, 1280, { fit: 'cover' })
        .flop(mirrored)
        .jpeg({ quality: 90 })
        .toFile(path);
      made.push(path);
    }
  }
  return made;
}

interface Run {
  readonly firstRowSeconds: number;
  /** From the first row to the last. */
  readonly photosPerSecond: number;
  readonly cpuSecondsPerPhoto: number;
  /** Peak resident memory of the program. */
  readonly peakMiB: number;
}

/** A program that prints one line per photo, beginning with its path. */
async function timed(words: readonly string[], photos: readonly string[]): Promise<Run> {
  const begin = performance.now();
  const child = spawn(process.execPath, [...words, ...photos], { stdio: ['ignore', 'pipe', 'ignore'], cwd: root });
  let [peak, cpu, first, last, seen] = [0, 0, 0, 0, 0];
  let before = '';
  let open = '';
  const look = (): void => {
    try {
      // The system records the peak, but not for a process that has exited and was not waited for.
      const kiB = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1];
      if (kiB !== undefined) peak = Number(kiB) / 1024;
      const ticks = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
      cpu = (Number(ticks[11]) + Number(ticks[12])) / 100;
    } catch {} // it has just exited
  };
  const timer = setInterval(look, 20);
  child.stdout.on('data', (part: Buffer) => {
    look();
    const lines = (open + part).split('\n');
    open = lines.pop()!;
    for (const line of lines) {
      const path = line.split(',')[0]!;
      if (!path.endsWith('.jpg') || path === before) continue;
      before = path;
      last = performance.now();
      if (seen++ === 0) first = last;
    }
  });
  await new Promise((resolve) => child.on('exit', resolve));
  clearInterval(timer);
  if (seen !== photos.length) throw new Error(`${words.join(' ')}: ${seen} of ${photos.length} photos`);
  return {
    firstRowSeconds: (first - begin) / 1000,
    photosPerSecond: (1000 * (seen - 1)) / (last - first),
    cpuSecondsPerPhoto: cpu / seen,
    peakMiB: peak,
  };
}

const digits = (value: number): number => Number(value.toPrecision(3));
const medians = (runs: readonly Run[]): Run => {
  const of = (key: keyof Run): number => digits(median(runs.map((run) => run[key])));
  return {
    firstRowSeconds: of('firstRowSeconds'),
    photosPerSecond: of('photosPerSecond'),
    cpuSecondsPerPhoto: of('cpuSecondsPerPhoto'),
    peakMiB: of('peakMiB'),
  };
};

/** Latency of single photos in milliseconds, after warm-up. */
async function latency(look: (path: string) => Promise<unknown>, photos: readonly string[]) {
  for (const path of photos.slice(0, 4)) await look(path);
  const times: number[] = [];
  for (const path of [...photos, ...photos]) {
    const begin = performance.now();
    await look(path);
    times.push(performance.now() - begin);
  }
  times.sort((a, b) => a - b);
  const at = (share: number): number => digits(times[Math.floor(share * (times.length - 1))]!);
  return { p50: at(0.5), p95: at(0.95) };
}

/** CPU time per photo in milliseconds, by stage, on one thread. */
async function stages(photos: readonly string[]) {
  const { model, detector, ...rest } = await loadModels({ threads: 1 });
  const parts = await openParts({ model, detector, ...rest, engine: await chooseEngine(model, { threads: 1 }) });
  const spent: Record<string, number> = {};
  const stage = async <Value>(name: string, work: () => Value | Promise<Value>): Promise<Value> => {
    const begin = process.cpuUsage();
    const value = await work();
    const { user, system } = process.cpuUsage(begin);
    spent[name] = (spent[name] ?? 0) + (user + system) / 1000;
    return value;
  };
  let faces = 0;
  const run = async (): Promise<void> => {
    for (const path of photos) {
      const image = await stage('decode', () => readImage(path));
      const scene = sceneOf(image);
      const found = await stage('detect', () => parts.detector!.detect(scene));
      const alignments = await stage('align', () => parts.aligner!.align(scene, found));
      const crops = await stage('cutOut', () => alignments.map((alignment) => cutFace(scene, alignment)));
      await stage('recognise', () => parts.embedder.embed(crops));
      await stage('reasons', () =>
        found.map((face, i) => findReasons({ ...face, alignment: alignments[i]!, crop: crops[i]!, image })),
      );
      faces += found.length;
    }
  };
  await run(); // warm-up
  for (const name of Object.keys(spent)) spent[name] = 0;
  faces = 0;
  await run();
  const each = Object.fromEntries(Object.entries(spent).map(([name, sum]) => [name, digits(sum / photos.length)]));
  return { facesPerPhoto: digits(faces / photos.length), millisecondsPerPhoto: each };
}

const distinct = await makePhotos();
// Use copies, because a command processes a photo only once even if it is named twice.
const photos = Array.from({ length: count }, (_, i) => join(folder, `copy-${i}.jpg`));
for (const [i, copy] of photos.entries()) copyFileSync(distinct[i % distinct.length]!, copy);
const command = (place: string): string[] => [
  join(place, 'packages/magface/bin/magface.js'),
  'quality',
  '--format',
  'csv',
];
const peer = ['--import', 'tsx', '--conditions=magface:source', join(root, 'bench/support/photo-peer.ts')];

const runs: { ours: Run; peer: Run; cold: Run }[] = [];
for (let turn = 0; turn < turns; turn++)
  runs.push({
    ours: await timed(command(root), photos),
    peer: await timed(peer, photos),
    cold: await timed(command(root), photos.slice(0, 1)),
  });
const ours = medians(runs.map((run) => run.ours));
const bare = medians(runs.map((run) => run.peer));
const before = old === undefined ? undefined : await timed(command(old), distinct.slice(0, 4));
const magface = await MagFace.load();
const one = {
  ours: await latency((path) => magface.analyze(path), distinct),
  peer: await latency(await openPeer(), distinct),
};
await magface[Symbol.asyncDispose]();

writeResult('photo-speed', {
  photos: count,
  size: '1920x1280',
  models: defaultModels,
  ...(await stages(distinct)),
  ours,
  peer: bare,
  overPeer: digits(median(runs.map((run) => run.ours.photosPerSecond / run.peer.photosPerSecond))),
  cpuOfPeer: digits(median(runs.map((run) => run.ours.cpuSecondsPerPhoto / run.peer.cpuSecondsPerPhoto))),
  latencyMilliseconds: one,
  coldFirstRowSeconds: digits(median(runs.map((run) => run.cold.firstRowSeconds))),
  coldCpuSeconds: digits(median(runs.map((run) => run.cold.cpuSecondsPerPhoto))),
  ...(before === undefined
    ? {}
    : { before: medians([before]), overBefore: digits(ours.photosPerSecond / before.photosPerSecond) }),
});
