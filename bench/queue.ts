/**
 * Four workers of `magface quality --queue` on a PostgreSQL server, two of which are killed in the middle of a part; the merged
 * parts must be the file of one run: `npx tsx -C magface:source bench/queue.ts postgres://... [IMAGES]`, 2,000 by default. The
 * images are copies of LFW's aligned faces (`npm run data -- lfw`), read by the tests' tiny recogniser.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { tinyOnnx, tinyRecord } from '../packages/magface/test/support/tiny-onnx.ts';
import { researchFolder } from './support/data.ts';
import { writeResult } from './support/result.ts';

const [address, images = '2000'] = process.argv.slice(2);
if (address === undefined) throw new Error('Expected the address of a PostgreSQL server: pass postgres://...');
const count = Number(images);
const parts = 16;
const lease = 5;
const magface = fileURLToPath(new URL('../packages/magface/bin/magface.js', import.meta.url));
const lfw = join(researchFolder('faces/lfw'), 'faces/lfw/aligned');
const folder = mkdtempSync(join(tmpdir(), 'magface-queue-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

mkdirSync(join(folder, 'photos'));
writeFileSync(join(folder, 'tiny.onnx'), tinyOnnx(112, tinyRecord()));
const faces = readdirSync(lfw, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(jpg|png)$/.test(name))
  .sort()
  .slice(0, count);
for (const [i, face] of faces.entries())
  cpSync(join(lfw, face), join(folder, 'photos', `face-${String(i).padStart(6, '0')}${extname(face)}`));

const words = ['quality', 'photos', '--aligned', '--model', 'tiny.onnx', '--quiet', '--workers', '1'];
const command = (...more: string[]): string[] => [magface, ...words, ...more];
const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
const linesOf = (file: string): number => (existsSync(join(folder, file)) ? read(file).split('\n').length - 1 : 0);

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
}
function startWorker(): Running {
  const queue = ['--queue', address!, '--parts', String(parts), '--lease', String(lease)];
  const child = spawn(process.execPath, command('--output', 'f.jsonl', ...queue), { cwd: folder, stdio: 'inherit' });
  return { child, ended: new Promise((resolve) => child.on('exit', resolve)) };
}

/** @returns the output of the part that the process has locked */
function partOf({ pid }: ChildProcess): string | undefined {
  for (const name of readdirSync(folder).filter((name) => name.endsWith('.run')))
    for (const lock of readdirSync(join(folder, name)).filter((file) => file.startsWith('lock-'))) {
      if (existsSync(join(folder, name, lock)) && read(join(name, lock)).includes(`"pid":${pid},`))
        return name.replace(/\.run$/, '');
    }
  return undefined;
}

/** Kills the process in the middle of a part. */
async function kill({ child, ended }: Running) {
  for (;;) {
    if (child.exitCode !== null) throw new Error('Expected a kill but the worker had ended: use more images.');
    const output = partOf(child);
    const rows = output === undefined ? 0 : linesOf(output);
    if (output !== undefined && rows > 0 && rows < Math.floor(count / parts)) {
      child.kill('SIGKILL');
      await ended;
      return { output, rows: linesOf(output) };
    }
    await sleep(2);
  }
}

execFileSync(process.execPath, command('--output', 'one.jsonl'), { cwd: folder, stdio: 'inherit' });
const workers = Array.from({ length: 4 }, startWorker);
const killed = [await kill(workers[0]!), await kill(workers[1]!)];
const exitCodes = await Promise.all(workers.slice(2).map(({ ended }) => ended));
const outputs = readdirSync(folder).filter((name) => /-of-16\.jsonl$/.test(name));
execFileSync(process.execPath, [magface, 'merge', ...outputs, '--output', 'f.jsonl'], {
  cwd: folder,
  stdio: 'inherit',
});

const client = new pg.Client(address);
await client.connect();
const { rows: versions } = await client.query('show server_version');
const { rows: left } = await client.query('select count(*)::int as jobs from magface_queue.job');
await client.end();
const rows = read('f.jsonl').trimEnd().split('\n');
writeResult('queue', {
  postgresql: versions[0].server_version,
  images: faces.length,
  parts,
  leaseSeconds: lease,
  workers: workers.length,
  killed: killed.map(({ output, rows }) => ({ part: output, rowsWhenKilled: rows, rowsAtTheEnd: linesOf(output) })),
  exitCodesOfTheOthers: exitCodes,
  rows: rows.length,
  imagesWithARow: new Set(rows.map((line) => JSON.parse(line).image)).size,
  mergedEqualsOneRun: read('f.jsonl') === read('one.jsonl'),
  jobsLeftInTheDatabase: left[0].jobs,
  model: 'tinyOnnx of the tests, the mean of each channel',
  note: 'all on one machine, which was busy with other work',
});
