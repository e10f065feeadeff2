import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ModelError } from '../../src/errors.ts';
import { sha256 } from '../../src/format/digest.ts';
import type { RecogniserContract } from '../../src/models/contract.ts';
import { loadModel } from '../../src/models/load-model.ts';
import { tinyOnnx } from '../support/tiny-onnx.ts';

const contract: RecogniserContract = {
  kind: 'recogniser',
  input: { width: 112, height: 112, layout: 'NCHW', channelOrder: 'RGB', mean: [1, 2, 3], scale: [0.5, 0.5, 0.5] },
  template: 'arcface-112',
  embeddingLength: 3,
  calibration: { centre: 20, width: 2, source: 'a test' },
  thresholds: [{ fmr: 0.001, threshold: 0.3, set: 'a test' }],
  licence: { spdx: 'MIT', notice: 'none' },
};
const bytes = tinyOnnx(112, contract);
const digest = sha256(bytes);

let cacheDir: string;
let close: () => void = () => undefined;

beforeEach(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), 'magface models ü '));
});
afterEach(async () => {
  close();
  await rm(cacheDir, { recursive: true });
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  close = () => {
    server.closeAllConnections();
    server.close();
  };
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.onnx`;
}
const cached = async (): Promise<string[]> => readdir(join(cacheDir, 'models')).catch(() => []);
const failure = async (loading: Promise<unknown>): Promise<ModelError> => {
  const error = await loading.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(ModelError);
  return error as ModelError;
};

test('reads the record in the file at a path', async () => {
  const path = join(cacheDir, 'mein Modell.onnx');
  await writeFile(path, bytes);
  const model = await loadModel(path, { kind: 'recogniser' });
  expect(model).toMatchObject({ name: path, id: undefined, path, digest, contract, assumed: [] });
});

test('reports that a file without a record gets the official preprocessing', async () => {
  const path = join(cacheDir, 'bare.onnx');
  await writeFile(path, tinyOnnx());
  const { contract: assumed, assumed: sentences } = await loadModel(path, { kind: 'recogniser' });
  expect(assumed).toMatchObject({
    input: { channelOrder: 'BGR', scale: [1 / 255, 1 / 255, 1 / 255] },
    embeddingLength: 3,
  });
  expect(sentences).toEqual([expect.stringMatching(/assumed BGR pixels \/ 255/)]);
});

test('downloads an address once with progress, then reads the cache, also offline', async () => {
  let requests = 0;
  const url = await serve((_, response) => {
    requests++;
    response.setHeader('content-length', bytes.length).end(bytes);
  });
  const progress: number[] = [];
  const onProgress = ({ received, total }: { received: number; total: number | undefined }): void => {
    expect(total).toBe(bytes.length);
    progress.push(received);
  };
  expect((await loadModel(url, { cacheDir, sha256: digest, onProgress })).digest).toBe(digest);
  expect(progress.at(-1)).toBe(bytes.length);
  expect((await loadModel(url, { cacheDir, sha256: digest, offline: true })).digest).toBe(digest);
  expect(requests).toBe(1);
  expect(await cached()).toEqual([`${digest}.onnx`]);
});

test('downloads an address without a digest once, works offline afterwards, and downloads again on request', async () => {
  let requests = 0;
  let answer = bytes;
  const url = await serve((_, response) => {
    requests++;
    response.end(answer);
  });
  const refused = await failure(loadModel(url, { cacheDir, offline: true }));
  expect(refused).toMatchObject({ code: 'model_offline', message: expect.stringContaining(`models pull ${url}`) });
  expect((await loadModel(url, { cacheDir })).digest).toBe(digest);
  answer = tinyOnnx();
  expect((await loadModel(url, { cacheDir, offline: true })).digest).toBe(digest);
  expect((await loadModel(url, { cacheDir })).digest).toBe(digest);
  expect(requests).toBe(1);
  expect((await loadModel(url, { cacheDir, refresh: true })).digest).toBe(sha256(answer));
  expect((await loadModel(url, { cacheDir })).digest).toBe(sha256(answer));
  expect(requests).toBe(2);
});

test('ignores a truncated note of an address', async () => {
  const url = await serve((_, response) => response.end(bytes));
  await loadModel(url, { cacheDir });
  const note = (await cached()).find((name) => name.endsWith('.address.json'))!;
  await truncate(join(cacheDir, 'models', note), 10);
  expect(await failure(loadModel(url, { cacheDir, offline: true }))).toMatchObject({ code: 'model_offline' });
  expect((await loadModel(url, { cacheDir })).digest).toBe(digest);
});

test('downloads a truncated cache file again', async () => {
  const url = await serve((_, response) => response.end(bytes));
  const { path } = await loadModel(url, { cacheDir, sha256: digest });
  await truncate(path, 100);
  await loadModel(url, { cacheDir, sha256: digest });
  expect(sha256(await readFile(path))).toBe(digest);
});

test('leaves one complete file after two concurrent downloads', async () => {
  const url = await serve((_, response) => response.end(bytes));
  await Promise.all([loadModel(url, { cacheDir, sha256: digest }), loadModel(url, { cacheDir, sha256: digest })]);
  expect(await cached()).toEqual([`${digest}.onnx`]);
});

test('reports wrong bytes, a broken transfer, an error page and a missing page, and keeps nothing', async () => {
  let answer: RequestListener = (_, response) => response.end(Buffer.from(bytes).fill(7, 40, 60));
  const url = await serve((request, response) => answer(request, response));
  expect(await failure(loadModel(url, { cacheDir, sha256: digest }))).toMatchObject({ code: 'model_wrong_digest' });

  answer = (_, response) => {
    response.setHeader('content-length', bytes.length).write(bytes.subarray(0, 50));
    setTimeout(() => response.destroy(), 20);
  };
  const cut = await failure(loadModel(url, { cacheDir, sha256: digest }));
  expect(cut).toMatchObject({ code: 'model_download_failed', message: expect.stringMatching(/check the connection/) });

  answer = (_, response) => response.end('<html>please log in</html>');
  expect(await failure(loadModel(url, { cacheDir }))).toMatchObject({ code: 'model_not_onnx' });

  answer = (_, response) => response.writeHead(404).end();
  expect((await failure(loadModel(url, { cacheDir }))).message).toMatch(
    /the server answered 404 .*: check the address/,
  );
  answer = (_, response) => response.writeHead(503).end();
  expect((await failure(loadModel(url, { cacheDir }))).message).toMatch(/answered 503 .*: try again later/);
  expect(await cached()).toEqual([]);
});

test('gives one sentence for an unreachable server and for a silent one', async () => {
  const url = await serve(() => undefined);
  const silent = await failure(loadModel(url, { cacheDir, timeout: 100 }));
  expect(silent.message).toMatch(/sent nothing for 0\.1 s: check the connection and try again/);
  close();
  expect(await failure(loadModel(url, { cacheDir }))).toMatchObject({ code: 'model_download_failed' });
});

test('reports an abort as an abort, not as a failed download', async () => {
  const url = await serve(() => undefined);
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 50);
  await expect(loadModel(url, { cacheDir, signal: abort.signal })).rejects.toMatchObject({ name: 'AbortError' });
});

test('rejects a model that is not cached if offline, and says how to get it', async () => {
  const error = await failure(loadModel('fr-feature', { cacheDir, offline: true }));
  expect(error).toMatchObject({
    code: 'model_offline',
    message: expect.stringMatching(/magface models pull fr-feature/),
  });
});

test('reports a cache that cannot be written, with a remedy', async () => {
  const url = await serve((_, response) => response.end(bytes));
  const file = join(cacheDir, 'a file');
  await writeFile(file, '');
  const error = await failure(loadModel(url, { cacheDir: file }));
  expect(error).toMatchObject({ code: 'model_cache_failed', message: expect.stringMatching(/MAGFACE_CACHE/) });
});

test('rejects a misspelt id, a checkpoint and a classifier, each with a remedy', async () => {
  expect((await failure(loadModel('fr-featur'))).message).toMatch(/did you mean fr-feature\?/);
  expect((await failure(loadModel('magface-iresnet50'))).message).toMatch(/give the file by its path/);
  const path = join(cacheDir, 'model.onnx');
  await writeFile(path, 'this is no model');
  expect(await failure(loadModel(path))).toMatchObject({ code: 'model_not_onnx' });
  await writeFile(path, tinyOnnx(224));
  const wrong = await failure(loadModel(path, { kind: 'recogniser' }));
  expect(wrong.message).toMatch(/Expected a recogniser of 112x112 faces but .* takes 224x224/);
  await writeFile(path, bytes);
  expect((await failure(loadModel(path, { kind: 'detector' }))).message).toMatch(/Expected a detector but/);
});
