/**
 * Kills `magface quality --resume` ten times at random moments, and runs it in two shards; both must give the file of one run:
 * `npx tsx -C magface:source bench/big-run.ts [IMAGES]`, 20,000 by default. The images are copies of LFW's aligned faces
 * (`npm run data -- lfw`), read with `--aligned` by the tests' tiny recogniser: the journal does not depend on the network, and
 * three runs of as many photos with the default one would take hours on a busy machine.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { randomStream } from '../packages/magface/src/random.ts';
import { tinyOnnx, tinyRecord } from '../packages/magface/test/support/tiny-onnx.ts';
import { researchFolder } from './support/data.ts';
import { writeResult } from './support/result.ts';

const count = Number(process.argv[2] ?? 20_000);
const kills = 10;
const magface = fileURLToPath(new URL('../packages/magface/bin/magface.js', import.meta.url));
const lfw = join(researchFolder('faces/lfw'), 'faces/lfw/aligned');
const folder = mkdtempSync(join(tmpdir(), 'magface-big-run-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const faces = readdirSync(lfw, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(jpg|png)$/.test(name))
  .sort();
mkdirSync(join(folder, 'photos'));
writeFileSync(join(folder, 'tiny.onnx'), tinyOnnx(112, tinyRecord()));
for (let i = 0; i < count; i++) {
  const face = faces[i % faces.length]!;
  cpSync(join(lfw, face), join(folder, 'photos', `face-${String(i).padStart(6, '0')}${extname(face)}`));
}

const start = (output: string, ...flags: string[]) =>
  spawn(
    process.execPath,
    [magface, 'quality', 'photos', '--aligned', '--model', 'tiny.onnx', '--output', output, '--quiet', ...flags],
    {
      cwd: folder,
      stdio: 'ignore',
    },
  );
const ended = (child: ReturnType<typeof start>): Promise<number | null> =>
  new Promise((resolve) => child.on('exit', resolve));
async function finished(child: ReturnType<typeof start>): Promise<number> {
  const begin = performance.now();
  const status = await ended(child);
  if (status !== 0) throw new Error(`Expected exit code 0 but received ${status}.`);
  return (performance.now() - begin) / 1000;
}
const read = (file: string): Buffer => readFileSync(join(folder, file));
const sizeOf = (file: string): number => statSync(join(folder, file), { throwIfNoEntry: false })?.size ?? 0;

const seconds = await finished(start('one.jsonl'));
const one = read('one.jsonl');
const rows = one.toString().trimEnd().split('\n');

// Killed when the file reaches a random size, so that the moments do not depend on the machine's speed.
const random = randomStream(28);
const moments = Array.from({ length: kills }, () => Math.floor((0.02 + 0.95 * random()) * one.length)).sort(
  (a, b) => a - b,
);
const killedAt: number[] = [];
for (const moment of moments) {
  const child = start('killed.jsonl', '--resume');
  const end = ended(child);
  while (child.exitCode === null && sizeOf('killed.jsonl') < moment) await sleep(1);
  child.kill('SIGKILL');
  await end;
  if (child.signalCode !== 'SIGKILL') throw new Error('Expected a kill but the run had ended.');
  killedAt.push(read('killed.jsonl').toString().split('\n').length - 1);
}
await finished(start('killed.jsonl', '--resume'));

await finished(start('part.jsonl', '--shard', '1/2'));
await finished(start('part.jsonl', '--shard', '2/2'));
const merge = spawn(
  process.execPath,
  [magface, 'merge', 'part.1-of-2.jsonl', 'part.2-of-2.jsonl', '--output', 'merged.jsonl'],
  {
    cwd: folder,
    stdio: 'ignore',
  },
);
await finished(merge);

const imagesOf = (lines: readonly string[]): Set<string> =>
  new Set(lines.map((line) => JSON.parse(line).image as string));
const killed = read('killed.jsonl').toString().trimEnd().split('\n');
writeResult('big-run', {
  images: count,
  aligned: true,
  model: 'tinyOnnx of the tests, the mean of each channel',
  imagesPerSecondOfOneRun: Math.round(count / seconds),
  rowsOfOneRun: rows.length,
  kills: killedAt.length,
  rowsAtEachKill: killedAt,
  rowsAfterTenKills: killed.length,
  imagesWithARow: imagesOf(killed).size,
  killedEqualsOneRun: read('killed.jsonl').equals(one),
  twoShardsMergedEqualOneRun: read('merged.jsonl').equals(one),
  note: 'on a machine that was busy with other work',
});
