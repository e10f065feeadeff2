/** Workers of a queue, as processes: some are killed, and the merged parts are one run. PGlite speaks PostgreSQL's protocol. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { openQueue } from '../../src/runs/queue.ts';
import { tinyOnnx, tinyRecord } from '../support/tiny-onnx.ts';
import { emptyFolder, runCli } from './run-cli.ts';

const magface = fileURLToPath(new URL('../../bin/magface.js', import.meta.url));
const images = 120;
const parts = 6;

let cwd: string;
let address: string;
let database: PGlite;
let server: PGLiteSocketServer;
const children: ChildProcess[] = [];

beforeEach(() => {
  cwd = emptyFolder();
});
beforeAll(async () => {
  database = await PGlite.create();
  server = new PGLiteSocketServer({ db: database, port: 0, host: '127.0.0.1', maxConnections: 8 });
  const listening = once(server, 'listening') as Promise<[CustomEvent<{ host: string; port: number }>]>;
  await server.start();
  const [{ detail }] = await listening;
  address = `postgres://postgres@${detail.host}:${detail.port}/postgres`;
}, 120_000);
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(async () => {
  await server.stop();
  await database.close();
});

const read = (file: string): string => readFileSync(join(cwd, file), 'utf8');

async function makePhotos(): Promise<void> {
  mkdirSync(join(cwd, 'photos'));
  writeFileSync(join(cwd, 'tiny.onnx'), tinyOnnx(112, tinyRecord()));
  const first = join(cwd, 'photos/0.png');
  await sharp({ create: { width: 112, height: 112, channels: 3, background: 'grey' } }).toFile(first);
  for (let i = 1; i < images; i++) copyFileSync(first, join(cwd, `photos/${i}.png`));
}

function worker(): { readonly child: ChildProcess; readonly ended: Promise<unknown[]>; readonly notes: () => string } {
  const words = ['quality', 'photos', '--aligned', '--model', 'tiny.onnx', '--workers', '1', '--output', 'f.jsonl'];
  const queue = ['--queue', address, '--parts', String(parts), '--lease', '1'];
  const child = spawn(process.execPath, [magface, ...words, ...queue], { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  children.push(child);
  let notes = '';
  child.stderr.on('data', (text: Buffer) => {
    notes += text;
  });
  return { child, ended: once(child, 'exit'), notes: () => notes };
}

/** Waits until a process holds the lock of a part. */
async function hasPart({ pid }: ChildProcess): Promise<void> {
  for (;;) {
    const locks = readdirSync(cwd, { recursive: true, encoding: 'utf8' }).filter((name) => /\.run.lock-/.test(name));
    if (locks.some((name) => ownerOf(name) === pid)) return;
    await sleep(5);
  }
}

function ownerOf(lock: string): number | undefined {
  try {
    return JSON.parse(read(lock)).pid;
  } catch {
    return undefined; // just released, or not written yet
  }
}

test('four workers, two of them killed, do each photo once: the merged parts are one run', async () => {
  await makePhotos();
  const started = [worker(), worker(), worker(), worker()] as const;
  for (const { child, ended } of started.slice(0, 2)) {
    await Promise.race([hasPart(child), ended]);
    child.kill('SIGKILL');
    expect(await ended).toEqual([null, 'SIGKILL']);
  }
  for (const { ended, notes } of started.slice(2)) {
    expect([await ended, notes()]).toEqual([
      [0, null],
      expect.stringContaining(
        'All 6 parts are finished: join them with `magface merge f.*-of-6.jsonl --output f.jsonl`.',
      ),
    ]);
  }
  const names = Array.from({ length: parts }, (_, at) => `f.${at + 1}-of-${parts}.jsonl`);
  expect((await runCli(['merge', ...names, '--output', 'f.jsonl'], { cwd })).exitCode).toBe(0);
  const found = read('f.jsonl').trimEnd().split('\n');
  expect(found).toHaveLength(images);
  expect(new Set(found.map((line) => JSON.parse(line).image)).size).toBe(images);
  // Nothing stays in the database, and a worker that comes too late finds nothing to do.
  expect((await database.query('select name from magface_queue.job')).rows).toEqual([]);
  const late = worker();
  expect(await late.ended).toEqual([0, null]);
  expect(read('f.1-of-6.jsonl').trimEnd().split('\n')).toHaveLength(images / parts);
}, 300_000);

test('embed and align take their parts from a queue too', async () => {
  mkdirSync(join(cwd, 'photos'));
  for (const [at, name] of ['a', 'b', 'no-face', 'two'].entries())
    await sharp({ create: { width: 50 + 10 * at, height: 50, channels: 3, background: 'grey' } }).toFile(
      join(cwd, `photos/${name}.png`),
    );
  const queue = ['--queue', address, '--parts', '2'];
  await runCli(['embed', 'photos', '--output', 'one.npy', '--all-faces'], { cwd });
  const embedded = await runCli(['embed', 'photos', '--output', 'f.npy', '--all-faces', ...queue, '--json'], { cwd });
  expect(embedded.exitCode).toBe(1);
  expect(
    embedded.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).output),
  ).toEqual(['f.1-of-2.npy', 'f.2-of-2.npy']);
  await runCli(['merge', 'f.1-of-2.npy', 'f.2-of-2.npy', '--output', 'f.npy'], { cwd });
  expect(readFileSync(join(cwd, 'f.npy'))).toEqual(readFileSync(join(cwd, 'one.npy')));
  await runCli(['align', 'photos', '--output', 'faces', ...queue], { cwd });
  await runCli(['merge', 'faces.1-of-2', 'faces.2-of-2', '--output', 'faces'], { cwd });
  expect(readdirSync(join(cwd, 'faces'))).toEqual(['a_0.png', 'b_0.png', 'two_0.png', 'two_1.png']);
});

test('a part is given back, and given up after five workers died with it', async () => {
  const outputs = [join(cwd, 'a.jsonl')];
  const { signal } = new AbortController();
  {
    await using queue = await openQueue(address, { run: 'a', outputs, lease: 60 });
    const part = await queue.take(signal);
    expect(part?.index).toBe(1);
    await part?.giveBack(0);
  }
  // Each of these dies at once: its copy of the part is due, as if its lease were over.
  for (let death = 0; death < 5; death++) {
    const queue = await openQueue(address, { run: 'a', outputs, lease: 60 });
    expect((await queue.take(signal))?.index).toBe(1);
    await queue[Symbol.asyncDispose]();
    await database.query("update magface_queue.job set start_after = now() - interval '1 second'");
  }
  await using last = await openQueue(address, { run: 'a', outputs, lease: 60 });
  expect(await last.take(signal)).toBeUndefined();
});

test.each([
  [['--queue', 'postgres://127.0.0.1:1/nothing'], 'Expected a PostgreSQL server for --queue but it cannot be used ('],
  [
    ['--queue', 'postgres://127.0.0.1:1/nothing', '--shard', '1/2'],
    'Expected either --queue or --shard but received both',
  ],
])('refuses %j', async (flags, message) => {
  mkdirSync(join(cwd, 'photos'));
  await sharp({ create: { width: 50, height: 50, channels: 3, background: 'grey' } }).toFile(join(cwd, 'photos/a.png'));
  const { exitCode, stderr } = await runCli(['quality', 'photos', '--output', 'f.jsonl', ...flags], { cwd });
  expect(stderr).toContain(message);
  expect(exitCode).toBe(2);
});
