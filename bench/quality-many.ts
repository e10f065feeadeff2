/**
 * Runs `magface quality` on ten thousand photos: `npx tsx bench/quality-many.ts [PHOTOS]`. Reports the rate, memory every five
 * seconds, and whether every photo has a row. Photos are made from LFW's faces (`npm run data -- lfw`) with stretched
 * surroundings; every tenth is a portrait and every five-hundredth a large photo of several people.
 */
import { spawn } from 'node:child_process';
import { createReadStream, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { researchFolder } from './support/data.ts';
import { writeResult } from './support/result.ts';

const count = Number(process.argv[2] ?? 10_000);
const root = fileURLToPath(new URL('../', import.meta.url));
const shared = researchFolder('faces/lfw', 'photos/congress');
const folder = mkdtempSync(join(tmpdir(), 'magface-many-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const images = (place: string): string[] =>
  readdirSync(join(shared, place), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(jpe?g|png)$/i.test(name))
    .map((name) => join(shared, place, name))
    .sort();
const faces = images('faces/lfw/aligned');
const portraits = images('photos/congress');
const large = images('photos').filter((file) => !file.includes('congress'));

const of = (list: readonly string[], i: number): string => list[i % list.length]!;
async function make(i: number): Promise<void> {
  const file = join(folder, `photo-${String(i).padStart(5, '0')}`);
  const whole = i % 500 === 0 ? of(large, i / 500) : i % 10 === 0 ? of(portraits, i / 10) : undefined;
  if (whole !== undefined) return copyFile(whole, `${file}${extname(whole)}`);
  const around = { top: 40, bottom: 40, left: 40, right: 40 };
  await sharp(of(faces, i))
    .extend({ ...around, extendWith: 'copy' })
    .jpeg()
    .toFile(`${file}.jpg`);
}
for (let i = 0; i < count; i += 50)
  await Promise.all(Array.from({ length: Math.min(50, count - i) }, (_, k) => make(i + k)));

const rows = join(folder, 'rows.csv');
const begin = performance.now();
const words = ['quality', folder, '--format', 'csv', '--threads', '1', '--quiet'];
const child = spawn(process.execPath, [join(root, 'packages/magface/bin/magface.js'), ...words], {
  stdio: ['ignore', openSync(rows, 'w'), 'inherit'],
});
const memory: { readonly seconds: number; readonly residentMiB: number }[] = [];
const timer = setInterval(() => {
  const kilobytes = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]);
  memory.push({ seconds: Math.round((performance.now() - begin) / 1000), residentMiB: Math.round(kilobytes / 1024) });
}, 5000);
const status = await new Promise<number | null>((resolve) => child.on('exit', resolve));
clearInterval(timer);
const seconds = (performance.now() - begin) / 1000;

const seen = new Set<string>();
let lines = 0;
for await (const line of createInterface({ input: createReadStream(rows) })) {
  lines++;
  const name = /photo-\d{5}/.exec(line)?.[0];
  if (name !== undefined) seen.add(name);
}
writeResult(`quality-${count}`, {
  photos: count,
  threads: 1,
  exitCode: status,
  rows: lines - 1,
  photosWithARow: seen.size,
  seconds: Math.round(seconds),
  photosPerSecond: Math.round((10 * count) / seconds) / 10,
  note: 'on a machine that was busy with other work, and stopped at times',
  residentMiB: {
    atATenth: memory[Math.floor(memory.length / 10)]?.residentMiB,
    atTheEnd: memory.at(-1)?.residentMiB,
    most: Math.max(...memory.map(({ residentMiB }) => residentMiB)),
  },
  memory: memory.filter((_, i) => i % Math.ceil(memory.length / 60) === 0),
});
