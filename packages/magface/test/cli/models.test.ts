import { readdirSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import type { Services } from '../../src/cli/services.ts';
import { listModels } from '../../src/models/list-models.ts';
import { loadModel } from '../../src/models/load-model.ts';
import { emptyFolder, runCli } from './run-cli.ts';

test('a model that only users can download is shown with instructions', async () => {
  const { exitCode, stdout } = await runCli(['models', 'show', 'magface-iresnet50', '--json']);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    name: 'magface-iresnet50',
    source: null,
    instructions: expect.stringMatching(/magface_iresnet50_MS1MV2_dp\.pth/),
    kind: 'recogniser',
    calibration: { centre: 23, width: 2.6 },
  });
});

test('pull requests an address again, show never does', async () => {
  const asked: unknown[] = [];
  const services = {
    loadModel: async (_: string, { refresh, offline }: { readonly refresh?: boolean; readonly offline?: boolean }) => {
      asked.push({ refresh, offline });
      throw new Error('enough');
    },
  } as unknown as Partial<Services>;
  await runCli(['models', 'pull', 'https://example.org/m.onnx'], { services });
  await runCli(['models', 'show', 'https://example.org/m.onnx'], { services });
  expect(asked).toEqual([
    { refresh: true, offline: false },
    { refresh: false, offline: true },
  ]);
});

test('show downloads nothing, and explains how to get a model that is not cached', async () => {
  const env = { MAGFACE_CACHE: emptyFolder() };
  vi.stubGlobal('fetch', () => Promise.reject(new Error('the network was asked')));
  const { exitCode, stdout, stderr } = await runCli(['models', 'show', 'blazeface', '--json'], {
    env,
    services: { listModels, loadModel },
  });
  vi.unstubAllGlobals();
  expect([exitCode, stderr]).toEqual([
    0,
    'Not downloaded yet: run `magface models pull blazeface`, which also shows its size.\n',
  ]);
  expect(JSON.parse(stdout)).toMatchObject({
    name: 'blazeface',
    cached: false,
    kind: 'detector',
    decoder: 'blazeface',
  });
  expect(readdirSync(env.MAGFACE_CACHE)).toEqual([]);
});

test('list prints whole ids within 80 columns, because users type them', async () => {
  const { stdout } = await runCli(['models', 'list'], { services: { listModels } });
  const ids = JSON.parse((await runCli(['models', 'list', '--json'], { services: { listModels } })).stdout).map(
    ({ id }: { id: string }) => id,
  );
  expect(ids).toContain('arcface-mobilefacenet');
  for (const id of ids) expect(stdout).toContain(`${id} `);
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
});
