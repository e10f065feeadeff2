/**
 * Measures only the loader, with 100,000 faces from `.rec`, from tar shards and from separate image files:
 *
 *     npx tsx bench/loader.ts --faces DIR [--images 100000] [--workers 2] [--part 10240]
 *
 * DIR has one folder per person with aligned JPEGs of 112x112, whose bytes are repeated. The sources alternate three times;
 * each reads a part of an epoch in random order from the disk cache. A step's share is the loader's CPU time per image, over
 * all threads, relative to the fastest training step in results/training-speed-iresnet18-batch32-threads2.json; it must be at
 * most 1 %. (CPU time is comparable on a shared machine; rates are not.) `decoding` compares our decoder, whose pixels equal
 * those of inference bit for bit, with one that has a fast, inexact DCT; both alternate on the same files. Writes
 * results/loader.json.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { convertFaces } from '../packages/magface/src/train/data/convert-faces.ts';
import { readDataset } from '../packages/magface/src/train/data/dataset.ts';
import { decodeSample, faceBytes } from '../packages/magface/src/train/data/decode-sample.ts';
import { Loader } from '../packages/magface/src/train/data/loader.ts';
import { writeResult } from './support/result.ts';

const { values: flags } = parseArgs({
  options: {
    faces: { type: 'string', default: '' },
    images: { type: 'string', default: '100000' },
    workers: { type: 'string', default: '2' },
    part: { type: 'string', default: '10240' },
  },
});
const [images, workers, part] = [Number(flags.images), Number(flags.workers), Number(flags.part)];
const [rounds, batchSize, imagesOfPerson] = [3, 512, 50];

/** One file per image, one folder per person. */
function writeFiles(folder: string): void {
  const faces = Array.from(readDataset(flags.faces).samples, ({ path }) => path).slice(0, 5000);
  const bytes = faces.map((path) => readFileSync(path));
  for (let i = 0; i < images; i++) {
    const person = join(folder, String(Math.floor(i / imagesOfPerson)).padStart(5, '0'));
    if (i % imagesOfPerson === 0) mkdirSync(person, { recursive: true });
    writeFileSync(join(person, `${i}.jpg`), bytes[i % bytes.length]!);
  }
}

interface Rates {
  readonly imagesPerSecond: number;
  readonly cpuMicroseconds: number;
}

/** Some batches are decoded before the clock starts; with many batches per part, that has little effect. */
async function measure(source: string, epoch: number): Promise<Rates> {
  await using loader = new Loader(readDataset(source), { batchSize, seed: 1, workers });
  let [read, start, cpu] = [0, 0, process.cpuUsage()];
  for await (const { indices } of loader.batches(epoch)) {
    if (start === 0)
      [start, cpu] = [performance.now(), process.cpuUsage()]; // threads and index are ready now
    else read += indices.length;
    if (read >= part) break;
  }
  const { user, system } = process.cpuUsage(cpu);
  return {
    imagesPerSecond: Math.round(read / ((performance.now() - start) / 1000)),
    cpuMicroseconds: Math.round((user + system) / read),
  };
}

interface TrainingSpeed {
  readonly threads: number;
  readonly imagesPerSecond: readonly { readonly bf16: number }[];
}

/** CPU time per image in microseconds for iResNet-18, the smallest official network, in bf16: the most demanding case. */
function fastestTraining(): number {
  const text = readFileSync(new URL('results/training-speed-iresnet18-batch32-threads2.json', import.meta.url), 'utf8');
  const { threads, imagesPerSecond } = JSON.parse(text) as TrainingSpeed;
  return (1e6 * threads) / Math.max(...imagesPerSecond.map(({ bf16 }) => bf16));
}

const medianOf = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** CPU time to read and decode an image on one thread, by our decoder and by one with a fast DCT. */
async function compareDecoders(): Promise<Record<string, unknown>> {
  const turbo = createRequire(import.meta.url)('@julusian/jpeg-turbo') as typeof import('@julusian/jpeg-turbo');
  const paths = Array.from(readDataset(flags.faces).samples, ({ path }) => path).slice(0, 2000);
  const face = new Uint8Array(faceBytes);
  const decoders = {
    exact: (path: string) => decodeSample(path, face, false),
    fast: async (path: string) => face.set(turbo.decompressSync(readFileSync(path), { format: turbo.FORMAT_BGR }).data),
  };
  const rounds: { exact: number; fast: number }[] = [];
  for (let round = 0; round <= 5; round++) {
    const spent = { exact: 0, fast: 0 };
    for (const name of ['exact', 'fast'] as const) {
      const cpu = process.cpuUsage();
      for (const path of paths) await decoders[name](path);
      const { user, system } = process.cpuUsage(cpu);
      spent[name] = Math.round((user + system) / paths.length);
    }
    if (round > 0) rounds.push(spent); // the first is a warm-up
  }
  const ratio = medianOf(rounds.map(({ exact, fast }) => exact / fast));
  return { microsecondsAnImage: rounds, exactOverFast: Number(ratio.toFixed(3)) };
}

const folder = mkdtempSync(join(tmpdir(), 'loader-'));
try {
  const files = join(folder, 'files');
  writeFiles(files);
  await convertFaces(files, join(folder, 'train.rec'));
  await convertFaces(files, join(folder, 'faces.tar'), { shardSize: Math.min(10_000, Math.ceil(images / 2)) });
  const sources = { rec: join(folder, 'train.rec'), tar: join(folder, 'faces-*.tar'), files };
  const results: Record<string, { secondsToIndex: number; rounds: Rates[] }> = {};
  for (const [name, source] of Object.entries(sources)) {
    const start = performance.now();
    readDataset(source);
    results[name] = { secondsToIndex: Math.round(performance.now() - start) / 1000, rounds: [] };
  }
  for (let round = 0; round < rounds; round++) {
    for (const [name, source] of Object.entries(sources)) {
      results[name]!.rounds.push(await measure(source, round));
    }
  }
  const decoding = await compareDecoders();
  const training = fastestTraining();
  const shares = Object.entries(results).map(([name, one]) => {
    const spent = medianOf(one.rounds.map(({ cpuMicroseconds }) => cpuMicroseconds));
    return [name, Number((spent / training).toFixed(5))] as const;
  });
  writeResult('loader', {
    images,
    workers,
    batchSize,
    sources: results,
    trainingCpuMicroseconds: Math.round(training),
    shareOfStep: Object.fromEntries(shares),
    decoding,
    peakMB: Math.round(process.resourceUsage().maxRSS / 1000),
  });
} finally {
  rmSync(folder, { recursive: true });
}
