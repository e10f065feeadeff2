/**
 * Compares random reads from a `.rec` of 100,000 records by its index with `fs.read` of the same bytes in the same order:
 *
 *     npx tsx bench/format-records.ts [--records 100000]
 *
 * Both alternate five times on a file in the disk cache. The median ratio must be at least 0.8, and memory below 300 MB.
 * Writes results/format-records.json.
 */
import { mkdtempSync, openSync, read, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createRecordWriter, openRecords } from '../packages/magface/src/format/record-file.ts';
import { randomFrom } from '../packages/magface/test/support/mutations.ts';
import { writeResult } from './support/result.ts';

const { values: flags } = parseArgs({ options: { records: { type: 'string', default: '100000' } } });
const count = Number(flags.records);
const rounds = 5;
const readsAtOnce = 4;

/** Records of 3 to 9 KB, like aligned JPEG faces. */
async function makeRecords(file: string): Promise<void> {
  const random = randomFrom(7);
  const noise = Buffer.from(Uint8Array.from({ length: 16384 }, () => random(256)));
  const writer = await createRecordWriter(file);
  for (let key = 1; key <= count; key++) {
    const [at, size] = [random(4096), 3000 + random(6000)];
    await writer.write(key, { labels: [key % 1000], id: key, id2: 0, image: noise.subarray(at, at + size) });
  }
  await writer.close();
}

const readPlain = (descriptor: number, begin: number, length: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    read(descriptor, Buffer.allocUnsafeSlow(length), 0, length, begin, (error, _, bytes) => {
      if (error) reject(error);
      else resolve(bytes);
    });
  });

async function secondsOf(order: Uint32Array, readOne: (i: number) => Promise<unknown>): Promise<number> {
  const start = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < order.length) await readOne(order[next++]!);
  };
  await Promise.all(Array.from({ length: readsAtOnce }, worker));
  return (performance.now() - start) / 1000;
}

const folder = mkdtempSync(join(tmpdir(), 'records-'));
try {
  const file = join(folder, 'train.rec');
  await makeRecords(file);
  const begins = readFileSync(join(folder, 'train.idx'), 'latin1')
    .trim()
    .split('\n')
    .map((line) => Number(line.split('\t')[1]));
  const ends = [...begins.slice(1), statSync(file).size];
  const random = randomFrom(1);
  const order = Uint32Array.from({ length: count }, () => random(count));
  const records = await openRecords(file);
  const descriptor = openSync(file, 'r');
  const ours = (i: number): Promise<unknown> => records.read(i + 1);
  const plain = (i: number): Promise<unknown> => readPlain(descriptor, begins[i]!, ends[i]! - begins[i]!);
  await secondsOf(order, plain); // from here on the disk cache holds the whole file
  const runs: { ours: number; plain: number; ratio: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    const [p, o] = [await secondsOf(order, plain), await secondsOf(order, ours)];
    runs.push({ ours: count / o, plain: count / p, ratio: p / o });
  }
  const ratios = runs.map(({ ratio }) => ratio).sort((a, b) => a - b);
  writeResult('format-records', {
    records: count,
    fileMB: Math.round(statSync(file).size / 1e6),
    readsAtOnce,
    recordsPerSecond: runs.map((run) => Math.round(run.ours)),
    plainReadsPerSecond: runs.map((run) => Math.round(run.plain)),
    medianRatio: Number(ratios[Math.floor(rounds / 2)]!.toFixed(3)),
    peakMB: Math.round(process.resourceUsage().maxRSS / 1000),
  });
  await records.close();
} finally {
  rmSync(folder, { recursive: true });
}
