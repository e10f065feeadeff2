/** The `npm:` source against a registry of this process, reached as users' own registries are: by npm's settings. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create as createTar } from 'tar';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sha256 } from '../../src/format/digest.ts';
import { loadModel } from '../../src/models/load-model.ts';
import { tinyOnnx } from '../support/tiny-onnx.ts';

let folder: string;
let server: Server;
let tarball: Buffer;
let sent: Buffer;
let requests = 0;
const before = { ...process.env };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'magface-npm-'));
  await mkdir(join(folder, 'package'));
  await writeFile(join(folder, 'package/package.json'), '{"name":"face","version":"1.0.0"}');
  await writeFile(join(folder, 'package/face.onnx'), tinyOnnx());
  await createTar({ cwd: folder, gzip: true, file: join(folder, 'face.tgz') }, ['package']);
  tarball = await readFile(join(folder, 'face.tgz'));
  sent = tarball;
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  server = createServer((request, response) => {
    requests++;
    if (request.url === '/face-1.0.0.tgz') return void response.end(sent);
    if (request.url !== '/face') return void response.writeHead(404).end('{}');
    const dist = { tarball: `${registry()}face-1.0.0.tgz`, integrity };
    const versions = { '1.0.0': { name: 'face', version: '1.0.0', dist } };
    response.end(JSON.stringify({ name: 'face', 'dist-tags': { latest: '1.0.0' }, versions }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  process.env['npm_config_registry'] = registry();
  process.env['npm_config_cache'] = join(folder, 'npm cache');
});

afterAll(async () => {
  process.env = before;
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

const registry = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
const load = (name: string, cacheDir: string, more: object = {}) =>
  loadModel(`npm:${name}`, { cacheDir: join(folder, cacheDir), timeout: 2000, ...more });

test('downloads a file of a package once and then works offline', async () => {
  expect((await load('face@1.0.0/face.onnx', 'a')).digest).toBe(sha256(tinyOnnx()));
  const first = requests;
  expect((await load('face@1.0.0/face.onnx', 'a', { offline: true })).digest).toBe(sha256(tinyOnnx()));
  expect(requests).toBe(first);
});

test.each([
  ['a file that it does not hold', 'face@1.0.0/other.onnx', /has no file other\.onnx: check the path in the package/],
  ['a version that there is not', 'face@9.9.9/face.onnx', /: check the name and version of the package/],
  ['a package that there is not', 'nobody@1.0.0/face.onnx', /404.*: check the name and version of the package/],
])('reports %s with a remedy', async (_, name, message) => {
  await expect(load(name, 'b')).rejects.toMatchObject({ code: 'model_download_failed' });
  await expect(load(name, 'b')).rejects.toThrow(message);
});

test('rejects a tarball that was changed in transfer', async () => {
  process.env['npm_config_cache'] = join(folder, 'another npm cache');
  sent = Buffer.from(tarball);
  sent[200]! ^= 1;
  await expect(load('face@1.0.0/face.onnx', 'c')).rejects.toMatchObject({ code: 'model_download_failed' });
  sent = tarball;
});
