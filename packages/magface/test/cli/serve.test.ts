/** The command as a process: it listens, answers, and ends once what is under way is answered. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { services } from '../../src/cli/services.ts';
import { tinyOnnx } from '../support/tiny-onnx.ts';
import { runCli } from './run-cli.ts';

const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
let folder: string;
let child: ChildProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'magface serve ü '));
  await writeFile(join(folder, 'tiny.onnx'), tinyOnnx());
});
afterEach(async () => {
  child?.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

/** @returns the port, and what stderr holds when the process has ended */
async function start(
  words: readonly string[] = [],
): Promise<{ port: number; ended: Promise<{ code: number | null; notes: string }> }> {
  const all = ['serve', '--model', 'tiny.onnx', '--aligned', '--port', '0', '--log-level', 'warn', ...words];
  const started = spawn(process.execPath, [command, ...all], { cwd: folder, stdio: ['ignore', 'inherit', 'pipe'] });
  child = started;
  let notes = '';
  const ended = new Promise<{ code: number | null; notes: string }>((resolve) => {
    started.on('exit', (code) => resolve({ code, notes }));
  });
  const port = await new Promise<number>((resolve, reject) => {
    started.stderr.on('data', (data: Buffer) => {
      notes += data;
      const found = /Listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(notes);
      if (found !== null) resolve(Number(found[1]));
    });
    void ended.then(({ notes }) => reject(new Error(notes)));
  });
  return { port, ended };
}

test('answers an upload in progress when SIGTERM arrives, then exits with 0', async () => {
  const { port, ended } = await start();
  const face = await sharp({ create: { width: 112, height: 112, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  const head = '--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n';
  const tail = '\r\n--x--\r\n';
  const length = head.length + face.length + tail.length;
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (data) => {
    answer += data;
  });
  socket.write(
    `POST /v1/faces HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: ${length}\r\n\r\n${head}`,
  );
  await expect.poll(async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
  child!.kill('SIGTERM');
  await expect.poll(() => fetch(`http://127.0.0.1:${port}/healthz`).catch(() => 'closed')).toBe('closed');
  socket.write(face);
  socket.write(tail);
  const { code, notes } = await ended;
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK/);
  expect(answer).toContain('"image":"a.png","width":112,"height":112');
  expect({ code, notes: notes.includes('assumed BGR') }).toEqual({ code: 0, notes: true });
});

test('reads keys from a file and the environment, and rejects an empty file', async () => {
  await writeFile(join(folder, 'keys'), 'the-first-key-of-all\n');
  const { port } = await start(['--api-keys', 'keys']);
  const ask = (key: string) =>
    fetch(`http://127.0.0.1:${port}/v1/models`, { headers: { 'X-API-Key': key } }).then(({ status }) => status);
  expect([await ask('the-first-key-of-all'), await ask('another')]).toEqual([200, 401]);
  await writeFile(join(folder, 'keys'), '\n');
  const { exitCode, stderr } = await runCli(['serve', '--api-keys', 'keys'], { cwd: folder });
  expect([exitCode, stderr]).toEqual([
    2,
    'Expected one key per line in keys but it is empty: add keys, or leave --api-keys out.\n',
  ]);
});

test('rejects wrong options before it loads a model', async () => {
  await writeFile(join(folder, 'keys'), 'short\n');
  const run = (...words: string[]) => runCli(['serve', ...words], { cwd: folder });
  expect((await run('--api-keys', 'keys')).stderr).toContain('an API key must have at least 16 letters');
  expect((await run('--api-keys', 'none')).stderr).toContain('Expected keys in none but it cannot be read');
  expect((await run('--port', '70000')).stderr).toContain('Expected a whole number from 0 to 65535');
});

test('explains a port in use and an address of another machine in one sentence each', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const model = ['--model', join(folder, 'tiny.onnx'), '--aligned'];
  const run = (...words: string[]) => runCli(['serve', ...model, ...words], { cwd: folder, services });
  const { exitCode, stderr } = await run('--port', String(port), '--quiet');
  expect([exitCode, stderr]).toEqual([
    2,
    `Expected to listen on 127.0.0.1:${port} but the port is in use: stop the other program, or choose another --port (0 for any free one).\n`,
  ]);
  expect((await run('--host', '192.0.2.1', '--port', '0')).stderr).toContain('this machine has no such address');
  taken.close();
});
