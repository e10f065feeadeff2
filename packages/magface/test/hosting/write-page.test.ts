import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { contentSecurityPolicy } from '../../src/hosting/headers.ts';
import { writePage } from '../../src/hosting/write-page.ts';
import type { FolderSource } from '../../src/models/model-folder.ts';
import { blazefaceContract } from '../support/detectors.ts';
import { tinyOnnx, tinyRecord } from '../support/tiny-onnx.ts';

let folder: string;
let models: readonly FolderSource[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'magface-hosting-'));
  const contract = tinyRecord();
  const path = join(folder, 'My model (2).onnx');
  models = [
    { name: path, id: undefined, path, digest: 'd1', bytes: tinyOnnx(112, contract), contract },
    {
      name: 'blazeface',
      id: 'blazeface',
      path: '',
      digest: 'd2',
      bytes: Uint8Array.of(1, 2, 3),
      contract: blazefaceContract,
    },
  ];
});
afterAll(() => rm(folder, { recursive: true }));

test('writes the page with its models, named by digest and described in the list', async () => {
  const page = join(folder, 'built');
  await mkdir(page);
  await writeFile(join(page, 'index.html'), '<p>page</p>');
  const output = join(folder, 'site');
  const bytes = await writePage(output, models, { page });
  expect((await readdir(output)).sort()).toEqual(['index.html', 'models']);
  const list = JSON.parse(await readFile(join(output, 'models/index.json'), 'utf8')) as Record<string, unknown>[];
  expect(list.map(({ id, digest, contract }) => [id, digest, (contract as { kind: string }).kind])).toEqual([
    ['My-model-2-', 'd1', 'recogniser'],
    ['blazeface', 'd2', 'detector'],
  ]);
  for (const { id, file, bytes, sha256 } of list) {
    const written = await readFile(join(output, 'models', String(file)));
    expect([written.length, createHash('sha256').update(written).digest('hex')]).toEqual([bytes, sha256]);
    expect(file).toBe(`${id}-${String(sha256).slice(0, 8)}.onnx`);
  }
  expect(bytes).toBeGreaterThan(3);
});

test('writes only the models without a built page, and otherwise explains how to build it', async () => {
  const output = join(folder, 'models-only');
  await writePage(output, models, { page: '/none', modelsOnly: true });
  expect(await readdir(output)).toEqual(['models']);
  await expect(writePage(output, models, { page: '/none' })).rejects.toThrow(
    'Expected the built page in /none but it is missing: run `npm run build -w @magface/page`, or write only the models with --models-only.',
  );
});

test('allows nothing from other origins and nothing inline', () => {
  expect(contentSecurityPolicy).toMatch(/^default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; /);
  expect(contentSecurityPolicy).not.toMatch(/unsafe-inline|'unsafe-eval'|https?:|\*/);
});
